//! Which store.

use std::path::PathBuf;

use clap::Args;
use tenure_core::Administration;

use crate::failure::Failure;

const STORES: &str = "\
The store, by the URL that the application connects by. Arguments can be read by other users of the machine: give a URL \
with a password in the environment variable.

  sqlite:FILE                                  SQLite
  redis://HOST, rediss://HOST                  Redis or Valkey
  redis+sentinel://HOST,HOST/NAME              behind Sentinel
  redis-cluster://HOST, rediss-cluster://HOST  Redis Cluster
  postgres://HOST/DATABASE                     PostgreSQL
  mysql://HOST/DATABASE                        MySQL or MariaDB
  mongodb://HOST/DATABASE                      MongoDB

Connecting brings Tenure's tables up to date, as an application's start does.";

#[derive(Args)]
pub(super) struct Place {
    /// The store, by the URL that the application connects by.
    #[arg(
        long = "store",
        value_name = "URL",
        env = "TENURE_STORE",
        hide_env_values = true,
        long_help = STORES
    )]
    url: String,
}

impl Place {
    pub(super) async fn open(&self) -> Result<Administration, Failure> {
        if self.url.starts_with("memory:") {
            return Err(Failure::InMemory);
        }
        self.refuse_missing_file()?;
        let store = tenure::store::connect(&self.url).await?;
        Ok(Administration::new(store))
    }

    /// An application makes a file that is not there; of a mistyped path that would be an empty answer.
    fn refuse_missing_file(&self) -> Result<(), Failure> {
        let Some(rest) = self.url.strip_prefix("sqlite:") else {
            return Ok(());
        };
        let file = PathBuf::from(rest.strip_prefix("//").unwrap_or(rest));
        if file.is_file() {
            Ok(())
        } else {
            Err(Failure::NoDatabase { file })
        }
    }
}

//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

const ABOUT: &str = "\
A small web app on Tenure: accounts, sessions, and an account page that signs other devices out.

The secret that signs the cookies and seals the sessions comes from the place that --secret names:
by itself the environment variable SESSION_SECRET. Make one with `openssl rand -base64 32`. The app
looks there again and again; a new version verifies at once and signs when every instance of the app
has had the time to see it, so that a rotation signs nobody out.

With TENURE_ENV=development and no SESSION_SECRET, one is made on the first run and kept beside the
database. Without TENURE_ENV=development this is production, and nothing insecure is accepted.";

/// A small web app on Tenure
#[derive(Debug, Parser)]
#[command(version, long_about = ABOUT, max_term_width = 100)]
pub struct Cli {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,

    /// The SQLite file of accounts, and of sessions unless --store says otherwise; made if it is not there
    #[arg(long, value_name = "FILE", default_value = "demo.db")]
    pub database: PathBuf,

    /// Keep the sessions there instead of in the SQLite file, such as `redis://127.0.0.1` or
    /// `postgres://app@127.0.0.1/app`; each kind of store needs the cargo feature of its name
    #[arg(long, value_name = "URL", env = "DEMO_STORE", hide_env_values = true)]
    pub store: Option<String>,

    /// Where the secret is kept, such as `file:/run/secrets/session`, or `vault:secret/demo#session` with
    /// the cargo feature of that name
    #[arg(
        long,
        value_name = "SOURCE",
        env = "DEMO_SECRET",
        default_value = "env:SESSION_SECRET"
    )]
    pub secret: String,

    /// How often to look there, in seconds; a new version signs after two such intervals
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub secret_refresh: u64,

    /// Serve metrics for Prometheus at this address, under /metrics; not for the public
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,

    /// Send the cookie over plain http too, under the name `session`; for development in Safari, which
    /// sends no Secure cookie to a plain-http localhost
    #[arg(long)]
    pub insecure_cookie: bool,

    /// Have the browser drop all that it has cached and stored of the site when somebody signs out
    #[arg(long)]
    pub clear_site_data: bool,
}

impl Cli {
    /// Where the secret of a developer's machine is kept: beside the database.
    #[must_use]
    pub fn secret_file(&self) -> PathBuf {
        self.database.with_extension("secret")
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_secret_lies_beside_the_database() {
        let cli = Cli::parse_from(["demo", "--database", "data/app.db"]);
        assert_eq!(cli.secret_file(), PathBuf::from("data/app.secret"));
    }
}

//! `tenure secret rotate`.

use comfy_table::{Table, presets};
use serde::Serialize;
use tenure_core::{Clock, SystemClock, Timestamp};
use tenure_secrets::{FetchError, FollowError, Preview, RotationSchedule, SecretSource, SecretText, connect};

use super::About;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, GOOD};
use crate::times;

pub(super) async fn run(about: &About) -> Result<Exit, Failure> {
    if let Some(haste) = about.timing.haste() {
        return Err(Failure::Hasty(haste));
    }
    let source = connect(&about.source).await?;
    let options = about.timing.options();
    let older = match Preview::of(&source, &options).await {
        Ok(Preview {
            refusal: Some(refusal),
            ..
        }) => return Err(Failure::Unfit(refusal)),
        Ok(preview) => preview.versions.len(),
        Err(FollowError::Fetch(FetchError::NotFound { .. })) => 0,
        Err(error) => return Err(error.into()),
    };

    let secret = SecretText::generate()?;
    let version = source.rotate(&secret).await?;
    let written_at = SystemClock.now();
    let rotation = Rotation {
        source: source.name(),
        version,
        key: secret.to_secret().key_id().to_string(),
        older,
        written_at,
        schedule: RotationSchedule::of(written_at, &options),
    };
    if about.json {
        output::print_json(&rotation.report())?;
    } else {
        output::print(&rotation.text())?;
    }
    Ok(Exit::Well)
}

struct Rotation<'a> {
    source: &'a str,
    version: String,
    key: String,
    /// How many versions there were before.
    older: usize,
    written_at: Timestamp,
    schedule: RotationSchedule,
}

impl Rotation<'_> {
    fn text(&self) -> String {
        let Self {
            source, version, key, ..
        } = self;
        if self.older == 0 {
            return format!(
                "{GOOD}{source} has its first version:{GOOD:#} {version}, key {key}.\n\nAn application that starts \
                 now signs with it.\n"
            );
        }
        let when =
            |word: &str, moment| format!("{word} {}", times::moment_and_distance(moment, self.written_at));
        let mut table = Table::new();
        table.load_style(presets::NOTHING).add_rows([
            [
                when("by", self.schedule.verifies_everywhere_by),
                "every instance takes cookies under it".to_owned(),
            ],
            [
                when("from", self.schedule.signs_from),
                "instances begin to sign with it".to_owned(),
            ],
            [
                when("by", self.schedule.signs_everywhere_by),
                "every instance signs with it".to_owned(),
            ],
            [
                when("from", self.schedule.older_may_go_at),
                "no session is alive under an older version, so that it may go".to_owned(),
            ],
        ]);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        format!(
            "{GOOD}{source} has a new version:{GOOD:#} {version}, key {key}.\n\n{}\n\nNobody is signed out. Leave the \
             older versions where they are until then.\n",
            table.trim_fmt()
        )
    }

    fn report(&self) -> Report<'_> {
        let if_older = |moment| (self.older > 0).then(|| times::rfc3339(moment));
        Report {
            source: self.source,
            version: &self.version,
            key: &self.key,
            older_versions: self.older,
            written_at: times::rfc3339(self.written_at),
            verifies_everywhere_by: if_older(self.schedule.verifies_everywhere_by),
            signs_from: if_older(self.schedule.signs_from),
            signs_everywhere_by: if_older(self.schedule.signs_everywhere_by),
            older_may_go_at: if_older(self.schedule.older_may_go_at),
        }
    }
}

/// What programs get.
#[derive(Serialize)]
struct Report<'a> {
    source: &'a str,
    version: &'a str,
    key: &'a str,
    older_versions: usize,
    written_at: String,
    verifies_everywhere_by: Option<String>,
    signs_from: Option<String>,
    signs_everywhere_by: Option<String>,
    older_may_go_at: Option<String>,
}

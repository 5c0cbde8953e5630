//! `tenure secret check`.

use std::fmt::Write;

use comfy_table::{Table, presets};
use serde::Serialize;
use tenure_core::{KeyRole, Timestamp};
use tenure_secrets::{FollowError, Preview, Stage, VersionPreview, connect};

use super::About;
use super::timing::Seconds;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, BAD, GOOD};
use crate::times;

pub(super) async fn run(about: &About) -> Result<Exit, Failure> {
    let source = connect(&about.source).await?;
    let preview = Preview::of(&source, &about.timing.options()).await?;
    let problems = problems(&preview, about.timing.haste());
    if about.json {
        output::print_json(&report(&preview, &problems, about.timing.seconds()))?;
    } else {
        output::print(&text(&preview, &problems))?;
    }
    Ok(if problems.is_empty() {
        Exit::Well
    } else {
        Exit::Unfit
    })
}

fn problems(preview: &Preview, haste: Option<String>) -> Vec<String> {
    let of_versions = match &preview.refusal {
        Some(FollowError::Weak { versions, .. }) => versions.iter().map(ToString::to_string).collect(),
        Some(refusal) => vec![refusal.to_string()],
        None => Vec::new(),
    };
    of_versions.into_iter().chain(haste).collect()
}

fn text(preview: &Preview, problems: &[String]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["VERSION", "KEY", "MADE", "STRENGTH", "NOW", "THEN"])
        .add_rows(preview.versions.iter().map(|version| row(version, preview.at)));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = format!("{}\n\n{}\n\n", preview.source, table.trim_fmt());
    if problems.is_empty() {
        text.push_str(&format!("{GOOD}Fit for use.{GOOD:#}\n"));
    } else {
        text.push_str(&format!("{BAD}Not fit for use:{BAD:#}\n"));
    }
    for problem in problems {
        // Writing to a string never fails.
        let _ = writeln!(text, "- {problem}");
    }
    text
}

fn row(version: &VersionPreview, now: Timestamp) -> [String; 6] {
    let made = match version.created_at {
        Some(moment) => times::moment_and_distance(moment, now),
        None => "unknown".to_owned(),
    };
    let strength = if version.weakness.is_some() {
        "too weak"
    } else {
        "strong"
    };
    let role = match version.role {
        Some(KeyRole::Current) => "signs",
        Some(KeyRole::Upcoming) if version.stage == Stage::Pending => "verifies, held back",
        Some(KeyRole::Upcoming) => "verifies, upcoming",
        Some(KeyRole::Older) => "verifies, older",
        None => "not needed any more",
    };
    [
        version.name.clone(),
        version.key.to_string(),
        made,
        strength.to_owned(),
        role.to_owned(),
        then(version, now),
    ]
}

fn then(version: &VersionPreview, now: Timestamp) -> String {
    match (version.signs_from, version.verifies_until) {
        (Some(moment), _) => format!("signs from {}", times::moment_and_distance(moment, now)),
        (None, Some(moment)) => format!("verifies until {}", times::moment_and_distance(moment, now)),
        (None, None) => String::new(),
    }
}

/// What programs get.
#[derive(Serialize)]
struct Report<'a> {
    source: &'a str,
    checked_at: String,
    usable: bool,
    problems: &'a [String],
    timing: Seconds,
    versions: Vec<ReportedVersion<'a>>,
}

#[derive(Serialize)]
struct ReportedVersion<'a> {
    name: &'a str,
    key: String,
    created_at: Option<String>,
    held_back: bool,
    weakness: Option<String>,
    role: &'static str,
    signs_from: Option<String>,
    verifies_until: Option<String>,
}

fn report<'a>(preview: &'a Preview, problems: &'a [String], timing: Seconds) -> Report<'a> {
    Report {
        source: &preview.source,
        checked_at: times::rfc3339(preview.at),
        usable: problems.is_empty(),
        problems,
        timing,
        versions: preview.versions.iter().map(reported).collect(),
    }
}

fn reported(version: &VersionPreview) -> ReportedVersion<'_> {
    ReportedVersion {
        name: &version.name,
        key: version.key.to_string(),
        created_at: version.created_at.map(times::rfc3339),
        held_back: version.stage == Stage::Pending,
        weakness: version.weakness.map(|weakness| weakness.to_string()),
        role: match version.role {
            Some(KeyRole::Current) => "current",
            Some(KeyRole::Upcoming) => "upcoming",
            Some(KeyRole::Older) => "older",
            None => "retired",
        },
        signs_from: version.signs_from.map(times::rfc3339),
        verifies_until: version.verifies_until.map(times::rfc3339),
    }
}

//! The page that sums up what all parts have shown, in this run or before.

use std::fs;
use std::path::PathBuf;

use measure::{Bound, Table, Verdict, outcome_of, results_folder, text};

use crate::part::{PARTS, Part};

/// # Errors
/// If a part's results do not read, or it cannot be written.
pub fn write() -> anyhow::Result<PathBuf> {
    let mut page = "# Side by side with the peers\n\nWritten by `cargo run --release -p compare`; see `bench/README.md` for \
                    what is measured, and how. The raw numbers are in the files beside this one.\n"
        .to_owned();
    page += "\n## What had to be shown\n\n";
    page += &bounds_of_all()?;
    for part in &PARTS {
        page += &section(part)?;
    }
    text("README.md", &page)?;
    Ok(results_folder().join("README.md"))
}

fn bounds_of_all() -> anyhow::Result<String> {
    let mut table = Table::new(&["part", "what", "is", "required", ""]);
    for part in &PARTS {
        for bound in outcome_of(part.name)?
            .map(|outcome| outcome.bounds)
            .unwrap_or_default()
        {
            table.row(&row(part, &bound));
        }
    }
    Ok(table.finish())
}

fn row(part: &Part, bound: &Bound) -> [String; 5] {
    let verdict = match bound.verdict() {
        Verdict::Met => "met".to_owned(),
        Verdict::Missed => "**missed**".to_owned(),
    };
    let is = format!("{:.2}", bound.is);
    [
        part.name.to_owned(),
        bound.what.clone(),
        is,
        bound.required.to_string(),
        verdict,
    ]
}

fn section(part: &Part) -> anyhow::Result<String> {
    if !part.page().exists() {
        return Ok(format!("\n## {}\n\nNot measured: {}.\n", part.name, part.shows));
    }
    let mut section = format!(
        "\n## {0}\n\n[{1}]({0}.md).\n\n",
        part.name,
        capitalized(part.shows)
    );
    for picture in pictures(part)? {
        section += &format!("![{picture}]({picture})\n");
    }
    Ok(section)
}

fn pictures(part: &Part) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(results_folder())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".svg") && is_of(part, &name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Of the parts whose names it begins with, it is the longest one's.
fn is_of(part: &Part, picture: &str) -> bool {
    let named = |part: &&Part| {
        picture
            .strip_prefix(part.name)
            .is_some_and(|rest| rest.starts_with('-'))
    };
    let longest = PARTS.iter().filter(named).max_by_key(|part| part.name.len());
    longest.is_some_and(|longest| longest.name == part.name)
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

//! Which parts are to run, and how thoroughly.

use crate::part::{PARTS, Part};

pub struct Selection {
    pub parts: Vec<Part>,
    pub is_quick: bool,
}

impl Selection {
    /// From the command line: `[--quick] [PART…]`; all parts where none is named.
    ///
    /// # Errors
    /// If there is no such part.
    pub fn from_args() -> anyhow::Result<Self> {
        let mut selection = Self {
            parts: Vec::new(),
            is_quick: false,
        };
        for arg in std::env::args().skip(1) {
            match arg.as_str() {
                "--quick" => selection.is_quick = true,
                name => selection.parts.push(named(name)?),
            }
        }
        if selection.parts.is_empty() {
            selection.parts = PARTS.to_vec();
        }
        Ok(selection)
    }
}

fn named(name: &str) -> anyhow::Result<Part> {
    let found = PARTS.iter().find(|part| part.name == name);
    found.copied().ok_or_else(|| {
        let names: Vec<_> = PARTS
            .iter()
            .map(|part| format!("  {:12} {}", part.name, part.shows))
            .collect();
        anyhow::anyhow!(
            "{name} is no part; expected [--quick] [PART…], with these parts:\n{}",
            names.join("\n")
        )
    })
}

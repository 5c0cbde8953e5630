//! Where results go, and what machine they are of.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

/// `bench/results`, or where `TENURE_BENCH_RESULTS` says.
pub fn results_folder() -> PathBuf {
    let named = std::env::var_os("TENURE_BENCH_RESULTS").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results"))
}

/// Keeps the raw numbers.
///
/// # Errors
/// If they cannot be written.
pub fn raw(name: &str, numbers: &impl Serialize) -> anyhow::Result<()> {
    text(&format!("{name}.json"), &serde_json::to_string(numbers)?)
}

/// Writes a text.
///
/// # Errors
/// If it cannot be written.
pub fn text(name: &str, content: &str) -> anyhow::Result<()> {
    let folder = results_folder();
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), content)?;
    Ok(())
}

/// How a page begins: what is shown, when it was measured, on what machine, and how thoroughly.
pub fn heading(title: &str, is_quick: bool) -> String {
    let day = jiff::Zoned::now().date();
    let thoroughness = if is_quick {
        " With `--quick`: few rounds, so these are no figures to quote."
    } else {
        ""
    };
    format!("# {title}\n\nMeasured on {day}, {}.{thoroughness}\n\n", machine())
}

/// The processor and how many of it there are.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |rest| {
        rest.trim_start_matches([' ', '\t', ':'])
    });
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{processors} × {model}, {}", std::env::consts::OS)
}

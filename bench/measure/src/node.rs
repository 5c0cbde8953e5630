//! The contenders on Node.js.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// The folder with the contenders, ready to run: the libraries installed, and this project's addon built.
///
/// # Errors
/// If Node.js is not there, or cannot make them ready.
pub fn node_folder() -> anyhow::Result<PathBuf> {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = bench.join("node");
    let express = bench.join("../packages/express");
    install(&folder, &[])?;
    install(&express, &["--omit=dev"])?;
    run(&express, "node", &["build.js"])?;
    Ok(folder)
}

fn install(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    // Which npm writes last.
    let installed = folder.join("node_modules/.package-lock.json");
    let is_newer = |file: &Path| fs::metadata(file).and_then(|metadata| metadata.modified());
    let lock = is_newer(&folder.join("package-lock.json"))?;
    if is_newer(&installed).is_ok_and(|installed| installed >= lock) {
        return Ok(());
    }
    run(
        folder,
        "npm",
        &[&["ci", "--no-audit", "--no-fund", "--loglevel=error"], arguments].concat(),
    )
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    // What a part prints is its results.
    let output = command.current_dir(folder).args(arguments).output();
    let output = output.with_context(|| {
        format!(
            "{program} makes {} ready; is Node.js installed?",
            folder.display()
        )
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "{program} {} failed: {said}",
        arguments.join(" ")
    );
    Ok(())
}

/// The version of this package that is installed there, or of this project's.
///
/// # Errors
/// If it is not.
pub fn node_version_of(folder: &Path, package: &str) -> anyhow::Result<String> {
    let file = match package {
        "tenure-express" => folder.join("../../packages/express/package.json"),
        package => folder.join("node_modules").join(package).join("package.json"),
    };
    let text = fs::read_to_string(&file).with_context(|| format!("{} is read", file.display()))?;
    let package: serde_json::Value = serde_json::from_str(&text)?;
    package["version"]
        .as_str()
        .map(str::to_owned)
        .context("a package has a version")
}

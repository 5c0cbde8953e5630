//! Which versions were compared.

/// The version of this package in this workspace's lock file, the newest if there are several.
///
/// # Panics
/// If the lock file does not read, or does not have it.
pub fn version_of(package: &str) -> String {
    let lock: cargo_lock::Lockfile = include_str!("../../Cargo.lock")
        .parse()
        .expect("cargo wrote the lock file");
    let versions = lock.packages.iter().filter(|one| one.name.as_str() == package);
    let newest = versions.map(|one| &one.version).max();
    newest
        .unwrap_or_else(|| panic!("{package} is not in the lock file"))
        .to_string()
}

/// The same where it is in the lock file several times: of those whose version begins so.
///
/// # Panics
/// As [`version_of`].
pub fn version_of_series(package: &str, begins: &str) -> String {
    let lock: cargo_lock::Lockfile = include_str!("../../Cargo.lock")
        .parse()
        .expect("cargo wrote the lock file");
    let versions = lock.packages.iter().filter(|one| one.name.as_str() == package);
    let mut fitting = versions.map(|one| one.version.to_string());
    let found = fitting.find(|version| version.starts_with(begins));
    found.unwrap_or_else(|| panic!("{package} {begins} is not in the lock file"))
}

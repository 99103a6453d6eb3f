//! What holds for every crate and every build.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_crate_forbids_unsafe_and_every_build_is_locked() {
    let manifest = |path: PathBuf| fs::read_to_string(&path).unwrap().parse::<toml::Table>().unwrap();
    assert_eq!(
        manifest(root().join("Cargo.toml"))["workspace"]["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid")
    );
    let crates: Vec<PathBuf> =
        fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join("Cargo.toml")).collect();
    assert!(crates.len() >= 9, "{crates:?}");
    for path in crates {
        let lints = manifest(path.clone());
        assert_eq!(lints["lints"]["workspace"].as_bool(), Some(true), "{}", path.display());
    }
    let scripts = fs::read_dir(root().join("script")).unwrap().map(|entry| entry.unwrap().path());
    let pages = ["README.md", "docs/operations.md", "docs/correctness.md"].map(|page| root().join(page));
    for file in scripts.chain(pages) {
        // A command goes on in the next line where this one ends with a backslash.
        let text = fs::read_to_string(&file).unwrap().replace("\\\n", " ");
        let builds = ["build", "run", "test", "nextest run", "clippy", "install"].map(|verb| format!("cargo {verb} "));
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let builds = builds.iter().any(|build| line.contains(build));
            assert!(!builds || line.contains("--locked"), "{}: {line}", file.display());
        }
    }
}

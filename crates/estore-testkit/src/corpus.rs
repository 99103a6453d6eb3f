//! The inputs that were worth keeping of those that were thrown at a parser (`fuzz/corpus`).

use std::fs;
use std::path::Path;

/// Throws each input of the target's corpus again; what fails is named.
///
/// # Panics
/// When there is no such corpus, or an input does what it must not.
pub fn replay(target: &str, attack: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    for input in inputs {
        eprintln!("{}", input.display());
        attack(&fs::read(&input).expect("a file"));
    }
}

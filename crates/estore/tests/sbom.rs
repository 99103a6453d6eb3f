//! The bill of materials names what is in the binary.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_crate_of_the_binary_is_listed_with_licence_and_checksum() {
    let Some(file) = std::env::var_os("ESTORE_TEST_SBOM") else {
        eprintln!("skipped: ESTORE_TEST_SBOM does not name a bill of materials; script/test makes it by script/sbom.");
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join(file)).unwrap();
    assert!(!text.contains(root.canonicalize().unwrap().to_str().unwrap()), "it tells where it was made");
    let bill: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    assert_eq!(bill["metadata"]["component"]["name"], "estore");
    let of = |part: &Value| format!("{} v{}", part["name"].as_str().unwrap(), part["version"].as_str().unwrap());
    let listed: BTreeMap<String, &Value> =
        bill["components"].as_array().unwrap().iter().map(|part| (of(part), part)).collect();
    let linked = linked(&root);
    assert!(linked.len() > 100, "{linked:?}");
    for name in linked.iter().filter(|name| !name.starts_with("estore v")) {
        let part = listed.get(name).unwrap_or_else(|| panic!("{name} is not listed"));
        assert!(part["licenses"].as_array().is_some_and(|licences| !licences.is_empty()), "{part}");
        assert!(part["purl"].as_str().is_some_and(|purl| purl.starts_with("pkg:cargo/")), "{part}");
        let is_ours = name.starts_with("estore-");
        let has_checksum = part["hashes"][0]["alg"] == "SHA-256" && part["hashes"][0]["content"].is_string();
        assert!(is_ours || has_checksum, "{part}");
    }
}

/// The crates that are linked into the binary, as `name v1.2.3`: neither for tests nor run by the compiler alone.
fn linked(root: &Path) -> BTreeSet<String> {
    let tree = ["tree", "--locked", "--package", "estore", "--edges", "normal,no-proc-macro", "--prefix", "none"];
    let tree = Command::new(env!("CARGO")).args(tree).current_dir(root).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).unwrap();
    lines.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

//! The first invoices of a real retailer's year, to the penny.

use std::path::Path;
use std::process::Command;

#[test]
fn two_hundred_invoices_to_the_penny() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = root.join("../shared/data/online-retail/online_retail.csv.gz");
    if !data.exists() {
        eprintln!("skipped: ../shared/data is not here; it is a development input that ships apart from the project.");
        return;
    }
    let bench = Path::new(crate::ESTORE).with_file_name("estore-bench");
    let status = Command::new(bench)
        .args(["replay", "--invoices", "200", "--again", "--kill-at", "0.5", "--estore", crate::ESTORE, "--data"])
        .arg(data)
        .status()
        .expect("estore-bench is built beside estore");
    assert!(status.success());
}

//! Customers from a file.

use std::io::Cursor;
use std::time::Instant;

use estore_users::{ImportError, ImportReport};

use crate::desk::{Desk, PASSWORD};

fn file(text: impl Into<Vec<u8>>) -> Cursor<Vec<u8>> {
    Cursor::new(text.into())
}

#[tokio::test]
async fn thousands_of_hashed_customers_come_in_within_two_seconds() {
    let desk = Desk::open().await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let rows: String = (1..=4_373).map(|n| format!("Customer-{n}@Retail.example,{hash},true\n")).collect();
    let text = format!("email,hashed_password,is_verified\n{rows}");
    let start = Instant::now();
    let mut seen = Vec::new();
    let report = desk.users.import_customers(file(text.clone()), |rows| seen.push(rows)).await.unwrap();
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    assert_eq!(report, ImportReport { rows: 4_373, made: 4_373, unverified: 0, already_there: 0 });
    assert!(seen.is_sorted() && seen.last() == Some(&4_373));
    desk.log_in("customer-4373@retail.example", PASSWORD).await;
    let again = desk.users.import_customers(file(text), |_| {}).await.unwrap();
    assert_eq!(again, ImportReport { rows: 4_373, made: 0, unverified: 0, already_there: 4_373 });
    assert_eq!(desk.number("SELECT count(*) FROM customer_imports").await, 0);
    assert_eq!(desk.number("SELECT count(*) FROM users WHERE is_verified AND is_active AND NOT is_admin").await, 4_373);
}

#[tokio::test]
async fn plain_passwords_are_hashed_on_the_way() {
    let desk = Desk::open().await;
    let text = format!("email,password,is_active,is_verified\na@b.co,{PASSWORD},,yes\nb@b.co,lantern-marsh-5,false,\n");
    let report = desk.users.import_customers(file(text), |_| {}).await.unwrap();
    assert_eq!((report.made, report.unverified), (2, 1));
    desk.log_in("a@b.co", PASSWORD).await;
    assert_eq!(desk.number("SELECT count(*) FROM users WHERE hashed_password LIKE '$argon2id$%'").await, 2);
    assert_eq!(desk.number("SELECT count(*) FROM users WHERE is_active").await, 1);
}

#[tokio::test]
async fn one_bad_row_keeps_all_out_and_each_is_named() {
    let desk = Desk::open().await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let good: String = (1..=1_500).map(|n| format!("c{n}@b.co,{hash}\n")).collect();
    let text = format!("email,hashed_password\n{good}nobody,{hash}\nx@b.co,secret\n{}", "y@b.co,\n".repeat(300));
    let Err(ImportError::Faults(faults)) = desk.users.import_customers(file(text), |_| {}).await else {
        panic!("bad rows came in")
    };
    assert_eq!(faults.len(), 100);
    assert_eq!((faults[0].line, faults[0].column.as_str(), faults[0].rule), (1_502, "email", "invalid_email"));
    assert_eq!((faults[1].line, faults[1].column.as_str(), faults[1].rule), (1_503, "hashed_password", "unknown_hash"));
    let text = format!("email,hashed_password\na@b.co,{hash}\nA@B.co,{hash}\n");
    let Err(ImportError::Faults(faults)) = desk.users.import_customers(file(text), |_| {}).await else {
        panic!("a row came in twice")
    };
    assert_eq!((faults[0].line, faults[0].rule), (3, "duplicate"));
    assert_eq!(desk.number("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM customer_imports)").await, 0);
}

#[tokio::test]
async fn a_leaked_password_comes_in_by_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("leaked.txt");
    // The SHA-1 of a password that is good by all other rules.
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, b"lantern-marsh-5");
    std::fs::write(&list, format!("{}:3\n", hex::encode_upper(hash))).unwrap();
    let desk = Desk::open_with(|config| config.breached_passwords_file = list).await;
    let text = format!("email,password\na@b.co,{PASSWORD}\nb@b.co,lantern-marsh-5\nnobody,{PASSWORD}\n");
    let Err(ImportError::Faults(faults)) = desk.users.import_customers(file(text), |_| {}).await else {
        panic!("a leaked password came in")
    };
    let told: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column.as_str(), fault.rule)).collect();
    assert_eq!(told, [(3, "password", "password_breached"), (4, "email", "invalid_email")]);
    let text = format!("email,password\na@b.co,{PASSWORD}\n");
    assert_eq!(desk.users.import_customers(file(text), |_| {}).await.unwrap().made, 1);
}

#[tokio::test]
async fn files_that_are_no_customers_are_told_so() {
    let desk = Desk::open().await;
    for (bytes, rule) in [
        (&b""[..], "empty_file"),
        (b"\xff\xfee\0m\0", "not_utf8"),
        (b"sku,price\n", "unknown_column"),
        (b"email,password\nj\xf6rg@b.co,lantern-marsh-5\n", "not_utf8"),
    ] {
        let Err(ImportError::Faults(faults)) = desk.users.import_customers(file(bytes), |_| {}).await else {
            panic!("{rule}: came in")
        };
        assert_eq!(faults[0].rule, rule);
    }
    let report = desk.users.import_customers(file("email,password\n"), |_| {}).await.unwrap();
    assert_eq!(report.rows, 0);
}

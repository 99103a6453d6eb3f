//! Indexes: figures as psql has them, and advice that breaks nothing.

use estore_ops::monitor::advice::Kind;

use crate::setup::{Watched, flush};

const TABLES: &str = "
    CREATE TABLE authors (id int PRIMARY KEY, email text UNIQUE, born date);
    CREATE TABLE books (id int PRIMARY KEY, author int REFERENCES authors, title text, year int, isbn text NOT NULL,
        EXCLUDE USING btree (isbn WITH =));
    CREATE INDEX books_year ON books (year);
    CREATE INDEX books_year_again ON books (year);
    CREATE INDEX books_year_title ON books (year, title);
    CREATE INDEX books_title_new ON books (title) WHERE year > 2000;
    CREATE UNIQUE INDEX authors_born ON authors (born);
    CREATE UNIQUE INDEX books_identity ON books (isbn);
    ALTER TABLE books REPLICA IDENTITY USING INDEX books_identity;
    INSERT INTO authors SELECT n, n::text FROM generate_series(1, 100) n;
    INSERT INTO books SELECT n, n % 100 + 1, 'same', n % 30, n::text FROM generate_series(1, 20000) n;
    ANALYZE";

#[tokio::test]
async fn use_and_size_are_those_that_psql_tells() {
    let watched = Watched::empty().await;
    let owner = watched.owner().await;
    owner.batch_execute(TABLES).await.unwrap();
    owner
        .batch_execute(
            "SET enable_seqscan = off; SELECT count(*) FROM books WHERE id < 500; SELECT title FROM books WHERE id = 7",
        )
        .await
        .unwrap();
    flush(&owner).await;
    let told = watched.told().await;
    let indexes = told.databases[0].indexes.as_ref().unwrap().seen().unwrap();
    let mut ours: Vec<Vec<String>> = indexes
        .iter()
        .map(|one| {
            let numbers = [one.bytes, one.scans, one.entries_read, one.rows_fetched];
            [one.name.clone()].into_iter().chain(numbers.iter().map(i64::to_string)).collect()
        })
        .collect();
    ours.sort();
    let sql = "SELECT indexrelname, pg_total_relation_size(indexrelid), idx_scan, idx_tup_read, idx_tup_fetch FROM pg_stat_user_indexes";
    let mut theirs = watched.psql(sql);
    theirs.sort();
    assert_eq!(ours, theirs);
    let key = indexes.iter().find(|one| one.name == "books_pkey").unwrap();
    assert_eq!((key.scans, key.entries_read), (2, 500));
}

#[tokio::test]
async fn advice_names_what_is_in_the_way_and_only_that() {
    let watched = Watched::empty().await;
    let owner = watched.owner().await;
    owner.batch_execute(TABLES).await.unwrap();
    owner.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY books_broken ON books (title)").await.unwrap_err();
    for _ in 0..12 {
        owner.batch_execute("SELECT count(*) FROM books WHERE length(title) > 100").await.unwrap();
    }
    flush(&owner).await;
    // Asked for: no evidence is too young.
    let told = watched.told_as("estore_monitor", None, 0).await;
    let advised = told.databases[0].advice.as_ref().unwrap().seen().unwrap();
    let mut found: Vec<(Kind, &str)> =
        advised.advice.iter().map(|one| (one.kind, one.index.as_deref().unwrap_or(&one.table))).collect();
    found.sort_by_key(|(_, name)| (*name).to_owned());
    assert_eq!(
        found,
        [
            (Kind::ForeignKeyWithoutIndex, "books"),
            (Kind::ReadThrough, "books"),
            (Kind::Invalid, "books_broken"),
            (Kind::Unused, "books_title_new"),
            (Kind::Unused, "books_year"),
            (Kind::Duplicate, "books_year_again"),
            (Kind::Unused, "books_year_title"),
        ]
    );
    // Every index that it would drop can go, and the tables still refuse what they refused.
    for advice in advised.advice.iter().filter(|advice| advice.mend.starts_with("DROP")) {
        owner.batch_execute(&advice.mend).await.unwrap();
    }
    for refused in [
        "INSERT INTO books VALUES (1, 1, 'x', 1, 'new')",
        "INSERT INTO books VALUES (0, 1, 'x', 1, '7')",
        "INSERT INTO authors VALUES (0, '7')",
    ] {
        owner.batch_execute(refused).await.unwrap_err();
    }
    // By itself it waits for 35 days of watching.
    let watched = Watched::empty().await;
    watched.owner().await.batch_execute(TABLES).await.unwrap();
    let told = watched.told().await;
    let advised = told.databases[0].advice.as_ref().unwrap().seen().unwrap();
    assert!(advised.advice.iter().all(|one| one.kind != Kind::Unused) && advised.unread_too_young == 3, "{advised:?}");
    assert!(advised.advice.iter().any(|one| one.kind == Kind::Prefix && one.index.as_deref() == Some("books_year")));
}

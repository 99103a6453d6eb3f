use super::*;

const DAY: i64 = 86_400;

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(day * DAY).unwrap()
}

fn index(oid: i64, keys: &[&str]) -> Index {
    Index {
        name: format!("i{oid}"),
        oid,
        table_name: "t".to_owned(),
        definition: Some("CREATE INDEX …".to_owned()),
        method: "btree".to_owned(),
        keys: Some(keys.iter().map(|key| format!("{key} 1978 0 0")).collect()),
        included: Some(Vec::new()),
        predicate: None,
        is_unique: false,
        is_primary: false,
        is_exclusion: false,
        is_replica_identity: false,
        has_constraint: false,
        is_valid: true,
        is_ready: true,
        is_being_built: false,
        is_partition: false,
        bytes: 8_192,
        scans: 0,
        entries_read: 0,
        rows_fetched: 0,
        blocks_read: 0,
        blocks_hit: 0,
    }
}

/// Counted since day 0, all seen on day 1, today is day `today`.
fn advised(indexes: &[Index], today: i64, days_min: u32) -> (Vec<(Kind, String)>, usize) {
    let first_seen = indexes.iter().map(|index| (index.oid, at(1))).collect();
    let evidence = Evidence {
        indexes,
        tables: &[],
        foreign_keys: &[],
        counted_since: at(0),
        first_seen: &first_seen,
        now: at(today),
        days_min,
    };
    let advised = advise(&evidence);
    let told = advised.advice.iter().map(|advice| (advice.kind, advice.index.clone().unwrap())).collect();
    (told, advised.unread_too_young)
}

#[test]
fn an_index_is_called_unused_only_after_long_watching() {
    let one = [index(1, &["a"])];
    assert_eq!(advised(&one, 35, 35), (vec![], 1), "34 days since it was first seen");
    assert_eq!(advised(&one, 36, 35), (vec![(Kind::Unused, "i1".to_owned())], 0));
    assert_eq!(advised(&one, 1, 0).0.len(), 1, "asked for");
    let read = [Index { scans: 1, ..index(1, &["a"]) }];
    assert_eq!(advised(&read, 400, 35), (vec![], 0));
}

#[test]
fn what_something_depends_on_is_never_called_dispensable() {
    let plain = || index(2, &["a"]);
    for bound in [
        Index { is_unique: true, ..plain() },
        Index { is_primary: true, ..plain() },
        Index { is_exclusion: true, ..plain() },
        Index { is_replica_identity: true, ..plain() },
        Index { has_constraint: true, ..plain() },
        Index { is_partition: true, ..plain() },
        Index { definition: None, ..plain() },
    ] {
        assert_eq!(advised(std::slice::from_ref(&bound), 400, 35).0, [], "{bound:?}");
        // Beside one with the same columns the other one goes, whichever is older.
        let both = [index(1, &["a"]), bound.clone()];
        let told = advised(&both, 2, 35).0;
        assert!(told.iter().all(|(_, name)| name == "i1"), "{told:?}");
        let longer = [Index { scans: 1, ..index(3, &["a", "b"]) }, bound];
        assert_eq!(advised(&longer, 400, 35).0, []);
    }
}

#[test]
fn duplicates_have_the_same_method_keys_and_rows() {
    let used = |oid, keys: &[&str]| Index { scans: 9, ..index(oid, keys) };
    assert_eq!(advised(&[used(1, &["a"]), used(2, &["a"]), used(3, &["a"])], 2, 35).0.len(), 2);
    for other in [
        Index { method: "hash".to_owned(), ..used(2, &["a"]) },
        Index { predicate: Some("(b > 0)".to_owned()), ..used(2, &["a"]) },
        Index { included: Some(vec!["c".to_owned()]), ..used(2, &["a"]) },
        Index { table_name: "u".to_owned(), ..used(2, &["a"]) },
        Index { is_valid: false, is_being_built: true, ..used(2, &["a"]) },
        used(2, &["b"]),
    ] {
        assert_eq!(advised(&[used(1, &["a"]), other.clone()], 2, 35).0, [], "{other:?}");
    }
}

#[test]
fn a_prefix_is_to_be_looked_at() {
    let used = |oid, keys: &[&str]| Index { scans: 9, ..index(oid, keys) };
    let told = advised(&[used(1, &["a"]), used(2, &["a", "b"])], 2, 35).0;
    assert_eq!(told, [(Kind::Prefix, "i1".to_owned())]);
    assert_eq!(advised(&[used(1, &["b"]), used(2, &["a", "b"])], 2, 35).0, []);
    let carrying = Index { included: Some(vec!["z".to_owned()]), ..used(1, &["a"]) };
    assert_eq!(advised(&[carrying, used(2, &["a", "b"])], 2, 35).0, []);
}

#[test]
fn what_a_failed_build_left_is_named_unless_it_is_being_built() {
    let broken = Index { is_valid: false, ..index(1, &["a"]) };
    assert_eq!(advised(std::slice::from_ref(&broken), 2, 35).0, [(Kind::Invalid, "i1".to_owned())]);
    assert_eq!(advised(&[Index { is_being_built: true, ..broken }], 2, 35).0, []);
}

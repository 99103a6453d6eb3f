use estore_ops::monitor::condition::Condition;
use jiff::{SignedDuration, Timestamp};

use super::{Level, backups, disk, server};
use crate::metrics::backups::Known;

/// What is looked at, how bad it is, and the change that makes it so.
type Case = (&'static str, Level, fn(&mut Condition));

fn condition() -> Condition {
    Condition {
        version: "15.8".to_owned(),
        version_number: 150_008,
        clock_apart_ms: 3,
        is_standby: false,
        archives: true,
        archiving_fails: false,
        archive_lag_seconds: Some(4.0),
        standbys: 1,
        standby_lag_seconds: 0.5,
        idle_slots: 0,
        slot_bytes: 16 << 20,
        connections: 20,
        connections_max: 100,
    }
}

/// The worst that is found, by what was looked at.
fn worst(condition: &Condition) -> (String, Level) {
    let found = server(condition);
    let bad = found.iter().find(|finding| finding.level == Level::Wrong);
    let bad = bad.or(found.iter().find(|finding| finding.level == Level::Warning)).unwrap_or(&found[0]);
    assert_eq!(bad.mend.is_some(), bad.level != Level::Ok, "{bad:?}");
    (bad.what.clone(), bad.level)
}

#[test]
fn every_bound_of_a_server_is_heeded() {
    use Level::{Ok, Warning, Wrong};
    let cases: [Case; 11] = [
        ("version", Ok, |_| {}),
        ("version", Wrong, |c| c.version_number = 140_011),
        ("clock", Wrong, |c| c.clock_apart_ms = 2_001),
        ("connections", Warning, |c| c.connections = 81),
        ("replication", Wrong, |c| c.is_standby = true),
        ("replication", Warning, |c| c.standby_lag_seconds = 301.0),
        ("replication", Warning, |c| c.idle_slots = 1),
        ("replication", Warning, |c| c.slot_bytes = 11 << 30),
        ("archiving", Wrong, |c| c.archiving_fails = true),
        ("archiving", Warning, |c| c.archive_lag_seconds = Some(301.0)),
        ("version", Ok, |c| (c.archives, c.archiving_fails) = (false, true)),
    ];
    for (what, level, change) in cases {
        let mut condition = condition();
        change(&mut condition);
        assert_eq!(worst(&condition), (what.to_owned(), level), "{condition:?}");
    }
}

#[test]
fn backups_are_to_be_young_and_proven() {
    let now = Timestamp::now();
    let ago = |hours: i64| Some(now - SignedDuration::from_hours(hours));
    let well = Known {
        sets: 8,
        newest: ago(25),
        newest_verified: ago(49),
        drill: Some((now - SignedDuration::from_hours(7 * 24), true, 4_000)),
        drill_passed: ago(7 * 24),
    };
    assert_eq!(backups(&well, now).level, Level::Ok);
    let failed = Some((now, false, 0));
    for bad in [
        Known::default(),
        Known { newest: ago(26), ..well },
        Known { drill_passed: ago(8 * 24), ..well },
        Known { drill_passed: None, drill: None, ..well },
        Known { drill: failed, ..well },
    ] {
        let finding = backups(&bad, now);
        assert!(finding.level == Level::Warning && finding.mend.is_some(), "{bad:?}: {finding:?}");
    }
}

#[test]
fn a_folder_that_is_not_there_yet_is_on_some_disk() {
    let finding = disk(std::path::Path::new("/nowhere/at/all"));
    assert!(finding.told.contains(" under / ("), "{finding:?}");
}

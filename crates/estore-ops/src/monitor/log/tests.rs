use std::fs;

use jiff::Timestamp;

use super::*;
use crate::monitor::statement::Names;

const PLAIN: &str = "2026-11-25 09:59:59.000 UTC [1] 00000 LOG:  starting PostgreSQL
2026-11-25 10:00:00.500 UTC [7] 00000 app@shop/estore 12ab LOG:  duration: 1234.567 ms  execute s1: -- Finds it.
\tSELECT a FROM t
\tWHERE b = $1
2026-11-25 10:00:01.000 UTC [7] 00000 app@shop/estore 12ab LOG:  duration: 2000.000 ms  statement: SELECT a FROM t WHERE b = 'ann@x'
2026-11-25 10:00:02.000 UTC [8] 23505 app@shop/x LOG:  odd ERROR:  duplicate key value violates unique constraint \"t_pkey\"
2026-11-25 10:00:02.000 UTC [8] 23505 app@shop/psql ERROR:  duplicate key value violates unique constraint \"t_pkey\"
2026-11-25 10:00:02.000 UTC [8] 23505 app@shop/psql STATEMENT:  INSERT INTO t VALUES ('ann@x')
2026-11-25 10:00:03.000 UTC [9] 22P02 app@shop/psql ERROR:  invalid input syntax for type integer: \"ann@x\"
2026-11-25 10:00:04.000 UTC [9] 40P01 app@shop/psql ERROR:  deadlock detected
2026-11-25 10:00:05.000 UTC [10] 28P01 eve@shop/[unknown] FATAL:  password authentication failed for user \"eve\"
2026-11-25 10:00:06.000 UTC [10] 28P01 eve@shop/[unknown] FATAL:  password authentication failed for user \"eve\"
2026-11-25 10:00:07.000 UTC [7] 00000 app@shop/psql LOG:  process 7 still waiting for ShareLock on transaction 9 after 1000.123 ms
2026-11-25 10:00:08.000 UTC [7] 00000 app@shop/psql LOG:  process 7 acquired ShareLock on transaction 9 after 2500.500 ms
2026-11-25 10:00:09.000 UTC [7] 00000 app@shop/psql LOG:  temporary file: path \"base/pgsql_tmp/pgsql_tmp7.0\", size 20971520
2026-11-25 10:00:10.000 UTC [1] 00000 LOG:  server process (PID 7) was terminated by signal 9: Killed
2026-11-25 10:00:11.000 UTC [7] 00000 app@shop/psql LOG:  duration: 3.500 ms  plan:
\tQuery Text: -- Finds it.
\tSELECT a FROM t
\tWHERE b = $1
\tIndex Scan using t_b on t  (cost=0.15..8.17 rows=1 width=36)
\t  Index Cond: (b = 'ann@x'::text)
2026-11-25 12:00:12.000 CET [7] 00000 app@shop/psql LOG:  in a zone without a number
what somebody else wrote
";

const JSON: &str = r#"{"timestamp":"2026-11-25 10:00:00.500 UTC","user":"app","dbname":"shop","pid":7,"error_severity":"LOG","message":"duration: 1234.567 ms  execute s1: -- Finds it.\nSELECT a FROM t\nWHERE b = $1"}
{"timestamp":"2026-11-25 10:00:02.000 UTC","user":"app","dbname":"shop","pid":8,"error_severity":"ERROR","state_code":"23505","message":"duplicate key value violates unique constraint \"t_pkey\"","detail":"Key (e)=(ann@x) already exists.","statement":"insert into a values('ann@x',1);"}
"#;

fn names() -> Names {
    Names::of([("shop/find_it", "-- Finds it.\nSELECT a FROM t\nWHERE b = $1\n")])
}

fn report(name: &str, text: &str, from: &str) -> LogReport {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    fs::write(folder.path().join("other.txt"), "not a log").unwrap();
    let from: Timestamp = from.parse().unwrap();
    // The file is of now; what it says is of 2026.
    read_log(folder.path(), from, &names()).unwrap()
}

#[test]
fn the_log_is_summed_up_without_a_value() {
    let report = report("postgresql-1.log", PLAIN, "2020-01-01T00:00:00Z");
    let slow = &report.slow[0];
    assert_eq!((slow.count, slow.total_us, slow.max_us), (2, 3_234_567, 2_000_000));
    assert_eq!(
        (slow.name.as_deref(), slow.role.as_deref(), slow.database.as_deref()),
        (Some("shop/find_it"), Some("app"), Some("shop"))
    );
    assert_eq!(report.errors.iter().find(|one| one.state == "23505").unwrap().count, 1);
    assert_eq!((report.failed_logins[0].role.as_str(), report.failed_logins[0].count), ("eve", 2));
    assert_eq!((report.lock_waits, report.lock_wait_us_max, report.deadlocks), (1, 2_500_500, 1));
    assert_eq!((report.temp_files, report.temp_bytes, report.crashes, report.unreadable_lines), (1, 20_971_520, 1, 2));
    let plan = &report.plans[0];
    assert_eq!((plan.name.as_deref(), plan.took_us), (Some("shop/find_it"), 3_500));
    assert_eq!(plan.plan[1], "  Index Cond: (b = ?::text)");
    let told = serde_json::to_string(&report).unwrap();
    assert!(!told.contains("ann@x"), "{told}");
}

#[test]
fn only_what_came_since_is_told() {
    let report = report("postgresql-1.log", PLAIN, "2020-01-01T00:00:00Z");
    assert_eq!(report.until.unwrap().to_string(), "2026-11-25T10:00:11Z");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), PLAIN.replace("2026-11-25", "2020-11-25")).unwrap();
    let from = "2020-11-25T10:00:05Z".parse().unwrap();
    let report = read_log(folder.path(), from, &names()).unwrap();
    assert_eq!((report.slow.len(), report.failed_logins[0].count, report.deadlocks), (0, 2, 0));
}

#[test]
fn postgresqls_json_is_read_too() {
    let report = report("postgresql.json", JSON, "2020-01-01T00:00:00Z");
    assert_eq!(report.slow[0].name.as_deref(), Some("shop/find_it"));
    assert_eq!((report.errors[0].state.as_str(), report.unreadable_lines), ("23505", 0));
    assert!(!serde_json::to_string(&report).unwrap().contains("ann@x"));
}

#[test]
fn long_lines_and_strange_bytes_do_no_harm() {
    let mut text =
        b"2026-11-25 10:00:00.500 UTC [7] 00000 app@shop/x LOG:  duration: 1.000 ms  statement: SELECT ".to_vec();
    text.extend(std::iter::repeat_n(b'x', 300_000));
    text.extend(b"\n\xff\xfe\n2026-11-25 10:00:01.000 UTC [7] 40P01 app@shop/x ERROR:  deadlock detected");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), text).unwrap();
    let report = read_log(folder.path(), "2020-01-01T00:00:00Z".parse().unwrap(), &names()).unwrap();
    assert_eq!((report.slow.len(), report.deadlocks, report.unreadable_lines), (1, 1, 1));
    assert!(report.slow[0].statement.len() < 500);
    assert!(read_log(Path::new("/nowhere"), Timestamp::UNIX_EPOCH, &names()).unwrap_err().mend.contains("root"));
}

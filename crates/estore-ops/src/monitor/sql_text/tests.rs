use proptest::prelude::*;

use super::{fingerprint, plan_line, shown};

#[test]
fn the_servers_text_of_a_statement_is_known_again() {
    let ours = "-- Purpose.\nSELECT a, 'x' FROM t /* why /* deep */ */ WHERE b = $1::int AND c > -1 AND d IS NULL AND e IN (1, 2, 3)\n";
    for theirs in [
        "-- Purpose.\nSELECT a, $2 FROM t /* why */ WHERE b = $1::int AND c > $3 AND d IS NULL AND e IN ($4, $5, $6)",
        "SELECT a, $2 FROM t WHERE b = $1::int AND c > $3 AND d IS NULL AND e IN ($4 /*, ... */)",
        "SELECT a, 'other' FROM t WHERE b = 7::int AND c > 12.5e-3 AND d IS NULL AND e IN (1);",
    ] {
        assert_eq!(fingerprint(ours), fingerprint(theirs));
    }
    assert_eq!(fingerprint("SELECT extract(epoch FROM a)"), fingerprint("SELECT extract($1 FROM a)"));
    assert_ne!(fingerprint("SELECT a FROM t"), fingerprint("SELECT a FROM u"));
    assert_ne!(fingerprint("SELECT \"a?\" FROM t"), fingerprint("SELECT a FROM t"));
}

#[test]
fn no_literal_is_shown() {
    let text = "UPDATE users SET email = 'ann@example.org', note = E'it\\'s' || $$ann$$ || $t$ann$t$, bits = B'1010'\n \
                WHERE id = 4711 AND x = $1 -- ann\n;";
    let told = shown(text, 200);
    assert_eq!(told, "UPDATE users SET email = ?, note = ? || ? || ?, bits = ? WHERE id = ? AND x = $1");
    assert_eq!(shown(text, 14), "UPDATE users…");
    assert_eq!(shown("SELECT 'never ended", 99), "SELECT ?");
    assert_eq!(shown("SELECT col1, t2.é FROM t2", 99), "SELECT col1, t2.é FROM t2");
}

#[test]
fn plans_keep_their_costs_and_lose_their_values() {
    let line = "  ->  Index Scan using a_pkey on a  (cost=0.15..8.17 rows=1 width=36)";
    assert!(plan_line(line).contains("(cost=0.15..8.17 rows=1 width=36)") && plan_line(line).starts_with("  ->"));
    let line = "        Index Cond: ((e = 'bob@x'::text) AND (n > 5) AND (m = $2))";
    assert_eq!(plan_line(line), "        Index Cond: ((e = ?::text) AND (n > ?) AND (m = $2))");
}

proptest! {
    #[test]
    fn any_text_is_taken_apart(text in any::<String>()) {
        prop_assert!(shown(&text, 80).chars().count() <= 81);
        prop_assert!(fingerprint(&text).len() + plan_line(&text).len() < text.len() * 16 + 16);
    }

    #[test]
    fn what_is_quoted_never_shows(secret in "[a-z@.]{8,20}", before in "[a-z ,=(]{0,20}") {
        let quoted = format!("{before}'{secret}'");
        prop_assert!(!shown(&quoted, 500).contains(&secret));
        prop_assert!(!fingerprint(&quoted).contains(&secret));
    }
}

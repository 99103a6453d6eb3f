//! What a seal holds: every column of its rows, every column of its own, and the seal before it.

use estore_ops::roles::Service;

use super::Vault;

/// One sealed row of each table.
const ROWS: [(Service, &str, &str); 5] = [
    (Service::Users, "audit_log", "id = 300"),
    (Service::Inventory, "stock_movements", "id = 600"),
    (Service::Payments, "order_events", "id = 600"),
    (Service::Payments, "ledger_transactions", "id = (SELECT max(id::text)::uuid FROM ledger_transactions)"),
    (
        Service::Payments,
        "ledger_entries",
        "line = 1 AND transaction_id = (SELECT max(id::text)::uuid FROM ledger_transactions)",
    ),
];

/// Whoever changes a table by hand may take away what it checks.
const UNCHECKED: &str = "DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'c' LOOP
        EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', name);
    END LOOP; END $$";

/// Another value of a column of this type.
fn other(column: &str, kind: &str) -> String {
    match kind {
        "smallint" | "integer" | "bigint" => format!("coalesce({column}, 0) + 1000"),
        "jsonb" => "'{\"other\": 1}'".to_owned(),
        "uuid" => "gen_random_uuid()".to_owned(),
        "bytea" => format!("set_byte({column}, 0, get_byte({column}, 0) # 1)"),
        "timestamp with time zone" => format!("{column} + interval '1 microsecond'"),
        kind if kind.starts_with("character varying") => format!("'x' || substr(coalesce({column}, ''), 2)"),
        kind => panic!("{column} is of the type {kind}: what is another value of it?"),
    }
}

/// The harms to a row of a table, one for each column that can be changed.
async fn harms(vault: &Vault, table: &str, row: &str) -> Vec<String> {
    let columns = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attidentity <> 'a'";
    let columns = vault.admin.query(columns, &[&table]).await.unwrap();
    let unchecked = UNCHECKED.replace("{table}", table);
    let harm = |column: &str, kind: &str| {
        format!("{unchecked}; UPDATE {table} SET {column} = {} WHERE {row}", other(column, kind))
    };
    columns.iter().map(|column| harm(column.get(0), column.get(1))).collect()
}

#[tokio::test]
async fn every_column_of_a_sealed_row_is_held() {
    for (service, table, row) in ROWS {
        let mut vault = Vault::filled(service).await;
        let harms = harms(&vault, table, row).await;
        assert!(harms.len() >= 5, "{harms:?}");
        for harm in harms {
            let found = vault.after(&harm, &[]).await;
            assert!(found.faults.iter().any(|fault| fault.kind == "rows"), "nothing is found: {harm}");
        }
    }
}

#[tokio::test]
async fn every_column_of_a_seal_is_held() {
    let mut vault = Vault::filled(Service::Users).await;
    let harms = harms(&vault, "audit_seals", "number = 2").await;
    assert!(harms.len() >= 12, "{harms:?}");
    for harm in harms {
        let found = vault.after(&harm, &[]).await;
        assert!(found.faults.iter().any(|fault| fault.kind != "rows"), "nothing is found: {harm}");
    }
}

#[tokio::test]
async fn a_seal_of_another_chain_by_the_same_key_does_not_fit() {
    let mut vault = Vault::filled(Service::Users).await;
    // As a copy of the database would have it that went on elsewhere, with another row.
    let copy = "CREATE TEMP TABLE ours AS SELECT * FROM audit_seals; BEGIN;
        SET LOCAL session_replication_role = replica; UPDATE audit_log SET user_id = 66 WHERE id = 300;
        DELETE FROM audit_seals; COMMIT";
    vault.admin.batch_execute(copy).await.unwrap();
    vault.seal().await;
    assert_eq!(vault.after("SELECT 1", &[]).await.faults, [], "each is sound by itself");
    let joined =
        "DELETE FROM audit_seals WHERE number = 1; INSERT INTO audit_seals SELECT * FROM ours WHERE number = 1";
    let found = vault.after(joined, &[]).await;
    assert_eq!(found.faults.len(), 1, "{:?}", found.faults);
    assert!(found.faults[0].what.starts_with("seal 2 was altered, or the one before it"), "{:?}", found.faults);
}

#[tokio::test]
async fn rows_that_a_sealer_was_led_past_are_found() {
    let mut vault = Vault::filled(Service::Users).await;
    let add =
        "INSERT INTO users (email, hashed_password) SELECT n || '@later.example', '!' FROM generate_series(1, 9) n";
    vault.admin.batch_execute(add).await.unwrap();
    // For a while the newest seal says that it holds more than it does; the sealer goes on behind that.
    let lead = |rows: &str| {
        format!(
            "BEGIN; SET LOCAL session_replication_role = replica; UPDATE audit_seals SET last_position = last_position {rows}
             WHERE number = (SELECT max(number) FROM audit_seals WHERE row_count > 9); COMMIT"
        )
    };
    vault.admin.batch_execute(&lead("+ 5")).await.unwrap();
    vault.seal().await;
    vault.admin.batch_execute(&lead("- 5")).await.unwrap();
    let found = vault.after("SELECT 1", &[]).await;
    assert_eq!(found.faults.len(), 1, "{:?}", found.faults);
    assert!(found.faults[0].what.contains("are in no seal before seal"), "{:?}", found.faults);
}

#[tokio::test]
async fn what_was_let_go_excuses_no_row_that_is_there() {
    let mut vault = Vault::filled(Service::Users).await;
    let harm = "INSERT INTO audit_seals SELECT number + 1, table_name, 'let_go', 0, 0, 0, digest, rows_from,
            now() + interval '1 hour', sealed_at, head, signature FROM audit_seals ORDER BY number DESC LIMIT 1;
        UPDATE audit_log SET user_id = 66 WHERE id = 300";
    let found = vault.after(harm, &[]).await;
    let told = found.faults.iter().any(|fault| fault.kind == "rows" && fault.what.contains("ids 257 to 512"));
    assert!(told, "{:?}", found.faults);
}

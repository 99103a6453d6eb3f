//! All orders in one table beside the partitions: copied in batches, while triggers bring over what changes.

use tokio::time::{Duration, sleep};

use super::PartitionProgress;
use super::definitions::Definitions;
use super::error::PartitionError;
use super::leaf::index_name;
use super::progress::PartitionEvent;
use super::session::Session;
use super::standing::look;
use super::switch::{Work, is_busy, switch};

/// The table that the orders are copied into.
pub(crate) const COPY: &str = "orders_merged";
/// The triggers that bring changes over.
pub(crate) const SYNC_TRIGGERS: [&str; 3] = ["orders_merge_added", "orders_merge_changed", "orders_merge_removed"];
pub(crate) const FUNCTION_GONE: &str = "DROP FUNCTION IF EXISTS merge_changed_orders()";
/// Waits for a lock are looked at for deadlocks after so many milliseconds: the copy gives way, not the buyer.
const DEADLOCK_MS: u32 = 20;
/// How often one batch is tried.
const TRIES: u32 = 100;

/// Copies all orders, or the rest of them, and compares.
pub(crate) async fn copy(session: &Session, progress: PartitionProgress<'_>) -> Result<(), PartitionError> {
    if look(&session.connection).await?.is_merging && !is_same_shape(session).await? {
        drop_copy(session, progress).await?;
    }
    if !look(&session.connection).await?.is_merging {
        switch(session, "begin a copy in one table", begin, progress).await?;
    }
    become_reader(session).await?;
    progress(PartitionEvent::Started("copy the orders into one table"));
    let columns = Definitions::of(&session.connection, COPY).await?.statements("column").join(", ");
    while batch(session, &columns, progress).await? {}
    progress(PartitionEvent::Started("count the copy for the planner"));
    session.run("count the copy", &format!("VACUUM (ANALYZE) {COPY}")).await?;
    progress(PartitionEvent::Started("compare the copy with the orders"));
    let compared = compare(session).await?;
    become_owner(session).await?;
    if let Some(differs) = compared {
        drop_copy(session, progress).await?;
        return Err(differs);
    }
    Ok(())
}

/// Removes a copy that is not wanted any more.
pub(crate) async fn drop_copy(session: &Session, progress: PartitionProgress<'_>) -> Result<(), PartitionError> {
    let mut sql: Vec<String> =
        SYNC_TRIGGERS.iter().map(|name| format!("DROP TRIGGER IF EXISTS {name} ON orders")).collect();
    sql.push(FUNCTION_GONE.to_owned());
    sql.push(format!("DROP TABLE {COPY}"));
    let work = Work { before: Vec::new(), under_locks: sql };
    switch(session, "remove the copy", |_| work.clone(), progress).await
}

/// Whether a migration has not changed the table since the copy was begun.
async fn is_same_shape(session: &Session) -> Result<bool, PartitionError> {
    let orders = Definitions::read(&session.connection).await?;
    let copied = Definitions::of(&session.connection, COPY).await?;
    let mut wanted: Vec<String> =
        orders.indexes().chain(&orders.own_indexes).map(|(name, _)| index_name(COPY, name)).collect();
    let mut found: Vec<String> = copied.indexes().chain(&copied.own_indexes).map(|(name, _)| name.clone()).collect();
    wanted.sort();
    found.sort();
    Ok(wanted == found && orders.statements("column") == copied.statements("column"))
}

fn begin(definitions: &Definitions) -> Work {
    let named = |index: &str| index_name(COPY, index);
    let mut sql = vec![format!(
        "CREATE TABLE {COPY} (LIKE orders INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED \
         INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)"
    )];
    sql.extend(definitions.storage.as_ref().map(|storage| format!("ALTER TABLE {COPY} {storage}")));
    sql.extend(Definitions::made_on(COPY, definitions.indexes(), named));
    sql.extend(Definitions::made_on(COPY, definitions.own_indexes.iter(), named));
    sql.extend(definitions.close(COPY));
    let columns = definitions.statements("column");
    let set: Vec<String> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let (columns, set) = (columns.join(", "), set.join(", "));
    // A row that is removed while its batch is copied is copied first, and then removed.
    sql.push(format!(
        "CREATE FUNCTION merge_changed_orders() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
             SET search_path = public, pg_temp AS $$
         BEGIN
             IF TG_OP = 'DELETE' THEN
                 LOCK TABLE {COPY} IN SHARE ROW EXCLUSIVE MODE;
                 DELETE FROM {COPY} WHERE id IN (SELECT id FROM changed);
             ELSE
                 INSERT INTO {COPY} ({columns}) SELECT {columns} FROM changed ORDER BY id
                 ON CONFLICT (id) DO UPDATE SET {set};
             END IF;
             RETURN NULL;
         END $$"
    ));
    for (name, (event, side)) in SYNC_TRIGGERS.iter().zip([("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")]) {
        sql.push(format!(
            "CREATE TRIGGER {name} AFTER {event} ON orders REFERENCING {side} TABLE AS changed \
             FOR EACH STATEMENT EXECUTE FUNCTION merge_changed_orders()"
        ));
    }
    Work { before: Vec::new(), under_locks: sql }
}

/// Copies the next rows; whether there were any. The table's comment says how far it has come.
async fn batch(session: &Session, columns: &str, progress: PartitionProgress<'_>) -> Result<bool, PartitionError> {
    let client = &session.connection;
    let standing = look(client).await?;
    let after = standing.merged_up_to.unwrap_or(-1);
    let failed = "copy orders";
    let sql = "SELECT max(id)::bigint FROM (SELECT id FROM orders WHERE id > $1::bigint ORDER BY id LIMIT $2) next";
    let row = client.query_one(sql, &[&after, &session.options.batch]).await.map_err(PartitionError::at(failed))?;
    let Some(up_to) = row.get::<_, Option<i64>>(0) else { return Ok(false) };
    let sql = format!(
        "BEGIN; INSERT INTO {COPY} ({columns}) SELECT {columns} FROM orders WHERE id > {after} AND id <= {up_to}
             ORDER BY id ON CONFLICT (id) DO NOTHING;
         COMMENT ON TABLE {COPY} IS 'Orders are copied up to {up_to}.'; COMMIT"
    );
    for attempt in 1..=TRIES {
        match session.run(failed, &sql).await {
            Ok(()) => break,
            Err(error) => {
                session.run("give way", "ROLLBACK").await?;
                if !is_busy(&error) || attempt == TRIES {
                    return Err(error);
                }
                sleep(Duration::from_millis(rand::random_range(10..100))).await;
            }
        }
    }
    progress(PartitionEvent::Copied { up_to, of: standing.next_id });
    Ok(true)
}

/// Both hold the same rows in one snapshot, or how they differ.
async fn compare(session: &Session) -> Result<Option<PartitionError>, PartitionError> {
    let of = |table: &str| {
        format!("SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0) AS hash FROM {table} t")
    };
    let sql = format!(
        "SELECT a.rows, b.rows, a.rows = b.rows AND a.hash = b.hash FROM ({}) a, ({}) b",
        of("orders"),
        of(COPY)
    );
    let row = session.connection.query_one(&sql, &[]).await.map_err(PartitionError::at("compare"))?;
    let differs = PartitionError::Differs { orders: row.get(0), copy: row.get(1) };
    Ok(if row.get(2) { None } else { Some(differs) })
}

/// The administrator sees every row, where policies bind even the owner.
async fn become_reader(session: &Session) -> Result<(), PartitionError> {
    let sql = format!(
        "DO $role$ BEGIN
             IF (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
                 PERFORM set_config('role', 'none', false), set_config('deadlock_timeout', '{DEADLOCK_MS}', false);
             END IF;
         END $role$"
    );
    session.run("see every order", &sql).await
}

/// Back to what the session was.
async fn become_owner(session: &Session) -> Result<(), PartitionError> {
    session.run("become the owner", &session.as_owner).await
}

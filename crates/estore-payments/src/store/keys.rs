//! Idempotency keys.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::GenericClient;
use estore_kit::db::{self, Db, DbError};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::payment_methods;
use crate::answer::Answer;
use crate::payment_method::StoredMethod;

const TAKE: &str = include_str!("../../queries/take_keys.sql");
const READ: &str = include_str!("../../queries/read_keys.sql");
const LOCK_RUNNING: &str = include_str!("../../queries/lock_running_keys.sql");
const FINISH: &str = include_str!("../../queries/finish_keys.sql");
const LOCK_DEAD: &str = include_str!("../../queries/lock_dead_keys.sql");
const LOCK_STALE: &str = include_str!("../../queries/lock_stale_keys.sql");
const FENCE_LOCKED: &str = include_str!("../../queries/fence_locked_keys.sql");
const LIST_UNDOING: &str = include_str!("../../queries/list_undoing_keys.sql");
const FREE: &str = include_str!("../../queries/free_keys.sql");
const LIST_DEAD: &str = include_str!("../../queries/list_dead_checkouts.sql");

/// A request that wants its key.
#[derive(Debug, Clone)]
pub(crate) struct Take {
    pub(crate) user_id: i32,
    pub(crate) key: String,
    pub(crate) request_hash: [u8; 32],
    /// The checkout or refund to be made under it, a fresh id.
    pub(crate) resource_id: Uuid,
    /// The payment method to look up on the way.
    pub(crate) payment_method_id: Option<i32>,
}

/// What became of the wish.
#[derive(Debug, Clone)]
pub(crate) enum Taken {
    /// The key is this request's; its payment method as found.
    Mine(Option<StoredMethod>),
    /// The request was answered before.
    Finished(Answer),
    /// The request is being worked on.
    Running,
    /// The key was used for another request.
    Reused,
}

/// The answer of a request that ended without a checkout.
#[derive(Debug, Clone)]
pub(crate) struct FinishedKey {
    pub(crate) user_id: i32,
    pub(crate) key: String,
    pub(crate) resource_id: Uuid,
    pub(crate) answer: Answer,
}

/// Takes keys; one outcome a wish, in order.
pub(crate) async fn take(db: &Db, wishes: &[Take]) -> Result<Vec<Taken>, DbError> {
    let users: Vec<i32> = wishes.iter().map(|wish| wish.user_id).collect();
    let keys: Vec<&str> = wishes.iter().map(|wish| wish.key.as_str()).collect();
    let hashes: Vec<&[u8]> = wishes.iter().map(|wish| wish.request_hash.as_slice()).collect();
    let resources: Vec<Uuid> = wishes.iter().map(|wish| wish.resource_id).collect();
    let methods: Vec<i32> = wishes.iter().filter_map(|wish| wish.payment_method_id).collect();
    let client = db.client().await?;
    let take: [&(dyn ToSql + Sync); 4] = [&users, &keys, &hashes, &resources];
    // Both are on their way together.
    let (taken, methods) = tokio::try_join!(db::rows(&client, TAKE, &take), payment_methods::by_id(&client, &methods))?;
    let mine: HashSet<Uuid> = taken.iter().map(|row| row.get("resource_id")).collect();
    // Read only after the insert: a row that stood in its way is committed and to be seen by now.
    let others = if mine.len() == wishes.len() { HashMap::new() } else { read(&client, &users, &keys).await? };
    let outcome = |wish: &Take| {
        if mine.contains(&wish.resource_id) {
            return Taken::Mine(wish.payment_method_id.and_then(|id| methods.get(&id).cloned()));
        }
        match others.get(&(wish.user_id, wish.key.clone())) {
            Some(known) if known.request_hash != wish.request_hash => Taken::Reused,
            Some(Known { answer: Some(answer), .. }) => Taken::Finished(answer.clone()),
            _ => Taken::Running,
        }
    };
    Ok(wishes.iter().map(outcome).collect())
}

/// The stored answer of a key, if it has one and still is that of this checkout or refund: a freed key may be another's.
pub(crate) async fn answer(db: &Db, user_id: i32, key: &str, resource_id: Uuid) -> Result<Option<Answer>, DbError> {
    let known = read(&db.client().await?, &[user_id], &[key]).await?;
    Ok(known.into_values().find(|known| known.resource_id == resource_id).and_then(|known| known.answer))
}

struct Known {
    resource_id: Uuid,
    request_hash: Vec<u8>,
    answer: Option<Answer>,
}

async fn read<C: GenericClient>(
    client: &C,
    users: &[i32],
    keys: &[&str],
) -> Result<HashMap<(i32, String), Known>, DbError> {
    let rows = db::rows(client, READ, &[&users, &keys]).await?;
    let known = |row: &Row| {
        let status: Option<i16> = row.get("answer_status");
        let answer = status.map(|status| Answer::replay(status, row.get("answer_body"), row.get("resource_id")));
        (
            (row.get("user_id"), row.get("key")),
            Known { resource_id: row.get("resource_id"), request_hash: row.get("request_hash"), answer },
        )
    };
    Ok(rows.iter().map(known).collect())
}

/// Locks the keys that are still these requests' own and running; answers their resources.
pub(crate) async fn lock_running<C: GenericClient>(
    client: &C,
    users: &[i32],
    keys: &[&str],
    resources: &[Uuid],
) -> Result<HashSet<Uuid>, DbError> {
    let rows = db::rows(client, LOCK_RUNNING, &[&users, &keys, &resources]).await?;
    Ok(rows.iter().map(|row| row.get("resource_id")).collect())
}

/// Stores answers; `false` where the key is no longer the request's.
pub(crate) async fn finish(db: &Db, finished: &[FinishedKey]) -> Result<Vec<bool>, DbError> {
    finish_on(&db.client().await?, finished).await
}

/// The same on a connection or transaction.
pub(crate) async fn finish_on<C: GenericClient>(client: &C, finished: &[FinishedKey]) -> Result<Vec<bool>, DbError> {
    let users: Vec<i32> = finished.iter().map(|one| one.user_id).collect();
    let keys: Vec<&str> = finished.iter().map(|one| one.key.as_str()).collect();
    let resources: Vec<Uuid> = finished.iter().map(|one| one.resource_id).collect();
    let statuses: Vec<i16> = finished.iter().map(|one| one.answer.status.cast_signed()).collect();
    let bodies: Vec<&[u8]> = finished.iter().map(|one| one.answer.body.as_ref()).collect();
    let rows = db::rows(client, FINISH, &[&users, &keys, &resources, &statuses, &bodies]).await?;
    let done: HashSet<Uuid> = rows.iter().map(|row| row.get("resource_id")).collect();
    Ok(finished.iter().map(|one| done.contains(&one.resource_id)).collect())
}

/// Fences a request's key unless something was written under it; answers whether the request is surely over.
pub(crate) async fn fence(db: &Db, user_id: i32, key: &str, resource_id: Uuid) -> Result<bool, DbError> {
    let mut client = db.client().await?;
    let transaction = client.transaction().await?;
    // The lock waits for a write that is still under way, so that the next statement sees its rows.
    lock_running(&transaction, &[user_id], &[key], &[resource_id]).await?;
    db::execute(&transaction, FENCE_LOCKED, &[&vec![resource_id]]).await?;
    let dead = db::rows(&transaction, LIST_DEAD, &[&vec![resource_id]]).await?;
    transaction.commit().await?;
    Ok(!dead.is_empty())
}

/// Of these checkouts, those that can never be written any more; the running keys of such are fenced.
pub(crate) async fn fence_checkouts(db: &Db, checkouts: &[Uuid]) -> Result<Vec<Uuid>, DbError> {
    let mut client = db.client().await?;
    let transaction = client.transaction().await?;
    let locked = db::rows(&transaction, LOCK_DEAD, &[&checkouts]).await?;
    let locked: Vec<Uuid> = locked.iter().map(|row| row.get("resource_id")).collect();
    db::execute(&transaction, FENCE_LOCKED, &[&locked]).await?;
    let dead = db::rows(&transaction, LIST_DEAD, &[&checkouts]).await?;
    transaction.commit().await?;
    Ok(dead.iter().map(|row| row.get("id")).collect())
}

/// Fences running keys taken before `before` under which nothing was written; answers how many.
pub(crate) async fn fence_stale(db: &Db, before: Timestamp, rows_max: i64) -> Result<u64, DbError> {
    let mut client = db.client().await?;
    let transaction = client.transaction().await?;
    let locked = db::rows(&transaction, LOCK_STALE, &[&before, &rows_max]).await?;
    let locked: Vec<Uuid> = locked.iter().map(|row| row.get("resource_id")).collect();
    // A statement of its own: it sees what was committed before the locks were had.
    let fenced = db::execute(&transaction, FENCE_LOCKED, &[&locked]).await?;
    transaction.commit().await?;
    Ok(fenced)
}

/// The checkouts and refunds of at most `rows_max` fenced keys, oldest first.
pub(crate) async fn undoing(db: &Db, rows_max: i64) -> Result<Vec<Uuid>, DbError> {
    Ok(db.rows(LIST_UNDOING, &[&rows_max]).await?.iter().map(|row| row.get("resource_id")).collect())
}

/// Frees fenced keys, whose stock must be back by now: the same requests under the same keys start anew.
pub(crate) async fn free(db: &Db, resources: &[Uuid]) -> Result<u64, DbError> {
    db.execute(FREE, &[&resources]).await
}

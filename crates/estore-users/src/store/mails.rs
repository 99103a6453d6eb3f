//! The outbox.

use deadpool_postgres::GenericClient;
use estore_kit::db::{DbError, execute, rows};
use estore_kit::field::{Fields, Place};
use jiff::Timestamp;
use uuid::Uuid;

use crate::letter::{Letter, Purpose};
use crate::limits::{MAILS_A_DAY_MAX, MAILS_A_MINUTE_MAX};

/// A letter that is due.
pub(crate) struct DueMail {
    pub(crate) id: i64,
    pub(crate) kind: String,
    pub(crate) recipient: String,
    pub(crate) subject: String,
    /// Sealed for `sealed_for`.
    pub(crate) body: String,
    pub(crate) sealed_for: Uuid,
    pub(crate) created_at: Timestamp,
    pub(crate) attempts: i32,
}

/// How the attempts to deliver ended: parallel lists.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) ids: Vec<i64>,
    /// `sent`, `again` or `given_up`.
    pub(crate) outcomes: Vec<&'static str>,
    pub(crate) errors: Vec<Option<String>>,
}

/// Where the text of a letter is sealed for: it may hold a token in clear.
pub(crate) fn text_of(sealed_for: Uuid) -> Place<Uuid> {
    Place { table: "mails", column: "body", row: sealed_for }
}

fn sealed(fields: &Fields, text: &str) -> Result<(String, Uuid), DbError> {
    let sealed_for = Uuid::now_v7();
    let text = fields.seal_text(text, text_of(sealed_for)).map_err(|error| DbError::Failed(error.to_string()))?;
    Ok((text, sealed_for))
}

pub(crate) async fn insert_mail<C: GenericClient>(db: &C, fields: &Fields, letter: &Letter) -> Result<(), DbError> {
    let sql = include_str!("../../queries/insert_mail.sql");
    let Letter { purpose, recipient, subject, body } = letter;
    let (body, sealed_for) = sealed(fields, body)?;
    execute(db, sql, &[&purpose.word(), recipient, subject, &body, &sealed_for]).await.map(drop)
}

/// A letter about an order.
#[derive(Debug)]
pub(crate) struct OrderMail {
    pub(crate) event_id: Uuid,
    pub(crate) user_id: i32,
    pub(crate) kind: &'static str,
    pub(crate) subject: String,
    pub(crate) body: String,
}

/// Puts letters about orders in the outbox, each once; answers how many are new.
pub(crate) async fn insert_order_mails<C: GenericClient>(
    db: &C,
    fields: &Fields,
    mails: &[OrderMail],
) -> Result<u64, DbError> {
    let events: Vec<Uuid> = mails.iter().map(|mail| mail.event_id).collect();
    let users: Vec<i32> = mails.iter().map(|mail| mail.user_id).collect();
    let kinds: Vec<&str> = mails.iter().map(|mail| mail.kind).collect();
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    let texts: Result<Vec<(String, Uuid)>, DbError> = mails.iter().map(|mail| sealed(fields, &mail.body)).collect();
    let (bodies, sealed_for): (Vec<String>, Vec<Uuid>) = texts?.into_iter().unzip();
    let sql = include_str!("../../queries/insert_order_mails.sql");
    execute(db, sql, &[&events, &users, &kinds, &subjects, &bodies, &sealed_for]).await
}

/// Whether the address may get one more letter of these purposes. The caller holds a lock that makes others wait.
pub(crate) async fn may_mail<C: GenericClient>(db: &C, email: &str, purposes: &[Purpose]) -> Result<bool, DbError> {
    let kinds: Vec<&str> = purposes.iter().map(|purpose| purpose.word()).collect();
    let counted = rows(db, include_str!("../../queries/count_recent_mails.sql"), &[&email, &kinds]).await?;
    let within = |row: &tokio_postgres::Row| {
        row.get::<_, i64>("in_minute") < MAILS_A_MINUTE_MAX && row.get::<_, i64>("in_day") < MAILS_A_DAY_MAX
    };
    Ok(counted.first().is_some_and(within))
}

/// Takes up to `limit` letters that are due; nobody else gets them until their next attempt is due.
pub(crate) async fn claim_mails<C: GenericClient>(db: &C, limit: usize) -> Result<Vec<DueMail>, DbError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let due = rows(db, include_str!("../../queries/claim_mails.sql"), &[&limit]).await?;
    let mail = |row: &tokio_postgres::Row| DueMail {
        id: row.get("id"),
        kind: row.get("kind"),
        recipient: row.get("recipient"),
        subject: row.get("subject"),
        body: row.get("body"),
        sealed_for: row.get("sealed_for"),
        created_at: row.get("created_at"),
        attempts: row.get("attempts"),
    };
    Ok(due.iter().map(mail).collect())
}

pub(crate) async fn settle_mails<C: GenericClient>(db: &C, outcomes: &Outcomes) -> Result<(), DbError> {
    let Outcomes { ids, outcomes, errors } = outcomes;
    execute(db, include_str!("../../queries/settle_mails.sql"), &[ids, outcomes, errors]).await.map(drop)
}

//! Passkeys and the challenges that they sign.

use deadpool_postgres::GenericClient;
use estore_kit::db::{DbError, View, execute, rows};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::limits::{PASSKEY_ANSWER_REMEMBERED, PASSKEY_CHALLENGE_TIME, PASSKEYS_MAX};
use crate::passkey::{ChallengePurpose, Passkey};
use crate::webauthn::NewCredential;
use crate::webauthn::wire::CredentialDescriptor;

pub(super) const LIST_PASSKEYS: &str = include_str!("../../queries/list_passkeys.sql");

/// Somebody who is logged in, and the passkeys of the account.
#[derive(Debug)]
pub(crate) struct PasskeyOwner {
    pub(crate) email: String,
    /// What authenticators keep for the account, where it has passkeys.
    pub(crate) user_handle: Option<Vec<u8>>,
    pub(crate) credentials: Vec<CredentialDescriptor>,
}

/// A passkey that is to be kept.
#[derive(Debug)]
pub(crate) struct NewPasskey<'a> {
    pub(crate) user_id: i32,
    pub(crate) name: &'a str,
    pub(crate) credential: &'a NewCredential,
    pub(crate) user_handle: &'a [u8],
    pub(crate) transports: &'a [String],
    pub(crate) is_second_step: bool,
}

/// A passkey that is shown, with its account.
#[derive(Debug)]
pub(crate) struct ShownPasskey {
    pub(crate) id: Uuid,
    pub(crate) user_id: i32,
    pub(crate) public_key: Vec<u8>,
    pub(crate) user_handle: Vec<u8>,
    pub(crate) is_backup_eligible: bool,
    /// It is not suspected, and its account is active.
    pub(crate) is_usable: bool,
    /// Its account has proved its address.
    pub(crate) is_verified: bool,
    pub(crate) email: String,
    pub(crate) hashed_password: String,
}

/// For what a challenge was made: its purpose, and the session where it is one of somebody who is logged in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) purpose: ChallengePurpose,
    pub(crate) session: Option<Uuid>,
}

pub(super) fn passkey(row: &Row) -> Passkey {
    Passkey {
        id: row.get("id"),
        name: row.get("name"),
        transports: row.get("transports"),
        is_second_step: row.get("is_second_step"),
        is_backed_up: row.get("is_backed_up"),
        created_at: row.get("created_at"),
        last_used_at: row.get("last_used_at"),
        suspected_at: row.get("suspected_at"),
    }
}

/// Nothing where the session has ended or its account is not active.
pub(crate) async fn find_passkey_owner<C: GenericClient>(
    db: &C,
    session: Uuid,
    user_id: i32,
) -> Result<Option<PasskeyOwner>, DbError> {
    let found = rows(db, include_str!("../../queries/find_passkey_owner.sql"), &[&session, &user_id]).await?;
    let Some(first) = found.first() else { return Ok(None) };
    let credential =
        |row: &Row| Some(CredentialDescriptor::of(row.get::<_, Option<_>>("credential_id")?, row.get("transports")));
    Ok(Some(PasskeyOwner {
        email: first.get("email"),
        user_handle: first.get("user_handle"),
        credentials: found.iter().filter_map(credential).collect(),
    }))
}

/// Keeps a challenge for a session, in place of its earlier one of this purpose.
pub(crate) async fn put_passkey_challenge<C: GenericClient>(
    db: &C,
    hash: &str,
    purpose: ChallengePurpose,
    session: Uuid,
    user_handle: Option<&[u8]>,
) -> Result<(), DbError> {
    let sql = include_str!("../../queries/put_passkey_challenge.sql");
    let seconds = PASSKEY_CHALLENGE_TIME.as_secs_f64();
    execute(db, sql, &[&hash, &purpose.word(), &session, &user_handle, &seconds]).await.map(drop)
}

/// The user handle of the registration that this challenge began, which is used up.
pub(crate) async fn use_passkey_challenge<C: GenericClient>(
    db: &C,
    hash: &str,
    session: Uuid,
) -> Result<Option<Vec<u8>>, DbError> {
    let used = rows(db, include_str!("../../queries/use_passkey_challenge.sql"), &[&hash, &session]).await?;
    Ok(used.first().map(|row| row.get("user_handle")))
}

/// Uses a session's challenge up; nothing where it is none that is open for this, and otherwise the passkey, if there is one.
pub(crate) async fn find_passkey_assertion<C: GenericClient>(
    db: &C,
    hash: &str,
    (purpose, session): (ChallengePurpose, Uuid),
    credential_id: &[u8],
) -> Result<Option<Option<ShownPasskey>>, DbError> {
    let sql = include_str!("../../queries/find_passkey_assertion.sql");
    let found = rows(db, sql, &[&hash, &purpose.word(), &session, &credential_id]).await?;
    Ok(found.first().map(shown))
}

/// Notes that a challenge was answered that is good for this; nothing where it was before, and otherwise the passkey, if there
/// is one.
pub(crate) async fn answer_open_challenge<C: GenericClient>(
    db: &C,
    hash: &str,
    purpose: ChallengePurpose,
    credential_id: &[u8],
) -> Result<Option<Option<ShownPasskey>>, DbError> {
    let sql = include_str!("../../queries/answer_open_challenge.sql");
    let seconds = PASSKEY_ANSWER_REMEMBERED.as_secs_f64();
    let found = rows(db, sql, &[&hash, &purpose.word(), &seconds, &credential_id]).await?;
    let Some(row) = found.first() else { return Ok(Some(None)) };
    Ok(row.get::<_, bool>("is_first").then(|| shown(row)))
}

fn shown(row: &Row) -> Option<ShownPasskey> {
    Some(ShownPasskey {
        id: row.get::<_, Option<_>>("id")?,
        user_id: row.get("user_id"),
        public_key: row.get("public_key"),
        user_handle: row.get("user_handle"),
        is_backup_eligible: row.get("is_backup_eligible"),
        is_usable: row.get("is_usable"),
        is_verified: row.get("is_verified"),
        email: row.get("email"),
        hashed_password: row.get("hashed_password"),
    })
}

/// Whether it is still there and not refused, and its counter went on.
pub(crate) async fn use_passkey<C: GenericClient>(
    db: &C,
    id: Uuid,
    sign_count: u32,
    is_backed_up: bool,
) -> Result<bool, DbError> {
    let sql = include_str!("../../queries/use_passkey.sql");
    Ok(execute(db, sql, &[&id, &i64::from(sign_count), &is_backed_up]).await? == 1)
}

/// Whether it was the counter that did not go on, for which the passkey is refused from now on.
pub(crate) async fn suspect_passkey<C: GenericClient>(db: &C, id: Uuid, sign_count: u32) -> Result<bool, DbError> {
    let sql = include_str!("../../queries/suspect_passkey.sql");
    Ok(execute(db, sql, &[&id, &i64::from(sign_count)]).await? == 1)
}

/// Nothing when the account has too many.
pub(crate) async fn insert_passkey<C: GenericClient>(db: &C, new: &NewPasskey<'_>) -> Result<Option<Passkey>, DbError> {
    let sql = include_str!("../../queries/insert_passkey.sql");
    let NewPasskey { user_id, name, credential, user_handle, transports, is_second_step } = new;
    let NewCredential { id: credential_id, public_key, sign_count, flags, .. } = credential;
    let (sign_count, eligible, backed_up) = (i64::from(*sign_count), flags.is_backup_eligible(), flags.is_backed_up());
    let made = rows(
        db,
        sql,
        &[
            &Uuid::now_v7(),
            user_id,
            name,
            credential_id,
            public_key,
            user_handle,
            &sign_count,
            transports,
            is_second_step,
            &eligible,
            &backed_up,
            &PASSKEYS_MAX,
        ],
    )
    .await?;
    Ok(made.first().map(passkey))
}

/// The account's passkeys, oldest first, where the viewer may see them.
pub(crate) async fn list_passkeys(view: &View, user_id: i32) -> Result<Vec<Passkey>, DbError> {
    Ok(view.rows(LIST_PASSKEYS, &[&user_id]).await?.iter().map(passkey).collect())
}

/// Nothing where the account has no such passkey.
pub(crate) async fn rename_passkey<C: GenericClient>(
    db: &C,
    id: Uuid,
    user_id: i32,
    name: &str,
) -> Result<Option<Passkey>, DbError> {
    let renamed = rows(db, include_str!("../../queries/rename_passkey.sql"), &[&id, &user_id, &name]).await?;
    Ok(renamed.first().map(passkey))
}

/// Whether the account had such a passkey.
pub(crate) async fn delete_passkey<C: GenericClient>(db: &C, id: Uuid, user_id: i32) -> Result<bool, DbError> {
    Ok(execute(db, include_str!("../../queries/delete_passkey.sql"), &[&id, &user_id]).await? == 1)
}

/// Whether the account had any.
pub(crate) async fn delete_passkeys_of_user<C: GenericClient>(db: &C, user_id: i32) -> Result<bool, DbError> {
    Ok(execute(db, include_str!("../../queries/delete_passkeys_of_user.sql"), &[&user_id]).await? > 0)
}

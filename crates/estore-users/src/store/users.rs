//! Accounts and their roles.

use deadpool_postgres::GenericClient;
use estore_kit::db::{Db, DbError, View, execute, rows};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::email::Email;
use crate::limits::EXPORT_SESSIONS_MAX;
use crate::passkey::Passkey;
use crate::store::log_in_failures::failed;
use crate::store::passkeys::{LIST_PASSKEYS, passkey};
use crate::store::sessions::{LIST_SESSIONS, Session, session};
use crate::throttle::Failed;
use crate::user::{Standing, User, with_admin};

const FIND_USER: &str = include_str!("../../queries/find_user.sql");

/// What a login is checked against.
pub(crate) struct Credentials {
    pub(crate) standing: Standing,
    pub(crate) hashed_password: String,
    pub(crate) is_active: bool,
    /// Good for setting another one, and for nothing else.
    pub(crate) is_one_time: bool,
    pub(crate) second_step: SecondStep,
}

/// What an account asks for beside the password.
#[derive(Debug)]
pub(crate) struct SecondStep {
    /// The sealed secret of its authenticator, where it has one.
    pub(crate) sealed_totp: Option<Vec<u8>>,
    /// Whether one of its passkeys is asked for.
    pub(crate) takes_passkey: bool,
}

impl SecondStep {
    /// Whether it asks for anything.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.sealed_totp.is_some() || self.takes_passkey
    }
}

fn second_step(row: &Row) -> SecondStep {
    SecondStep { sealed_totp: row.get("totp_secret"), takes_passkey: row.get("takes_passkey") }
}

/// What a change of one's own account is checked against.
pub(crate) struct Proof {
    pub(crate) hashed_password: String,
    pub(crate) second_step: SecondStep,
    /// How often the session was wrong of late.
    pub(crate) failed: Failed,
}

/// An account locked by its address.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) id: i32,
    pub(crate) is_active: bool,
    pub(crate) is_verified: bool,
    /// Somebody registered it again before anybody proved it.
    pub(crate) registered_again: bool,
    /// It is one of the staff's.
    pub(crate) has_role: bool,
}

fn user(row: &Row) -> User {
    let is_admin = row.get("is_admin");
    User {
        id: row.get("id"),
        email: row.get("email"),
        is_active: row.get("is_active"),
        is_verified: row.get("is_verified"),
        is_admin,
        roles: with_admin(row.get("roles"), is_admin),
        pending_email: row.get("pending_email"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    }
}

pub(super) fn standing(row: &Row) -> Standing {
    Standing {
        id: row.get("id"),
        is_verified: row.get("is_verified"),
        is_admin: row.get("is_admin"),
        roles: row.get("roles"),
    }
}

/// The new account's id, or nothing when the address is taken.
pub(crate) async fn insert_user<C: GenericClient>(db: &C, email: &Email, hash: &str) -> Result<Option<i32>, DbError> {
    let made = rows(db, include_str!("../../queries/insert_user.sql"), &[&email.as_str(), &hash]).await?;
    Ok(made.first().map(|row| row.get(0)))
}

/// The new administrator's id, or nothing when the address is taken.
pub(crate) async fn insert_admin<C: GenericClient>(
    db: &C,
    email: &Email,
    hash: &str,
    is_one_time: bool,
) -> Result<Option<i32>, DbError> {
    let made =
        rows(db, include_str!("../../queries/insert_admin.sql"), &[&email.as_str(), &hash, &is_one_time]).await?;
    Ok(made.first().map(|row| row.get(0)))
}

/// Whether there is an active administrator.
pub(crate) async fn find_active_admin<C: GenericClient>(db: &C) -> Result<bool, DbError> {
    let found = rows(db, include_str!("../../queries/find_active_admin.sql"), &[]).await?;
    Ok(found.first().is_some_and(|row| row.get("found")))
}

pub(super) fn credentials(row: &Row) -> Credentials {
    Credentials {
        standing: standing(row),
        hashed_password: row.get("hashed_password"),
        is_active: row.get("is_active"),
        is_one_time: row.get("password_is_one_time"),
        second_step: second_step(row),
    }
}

pub(crate) async fn find_user<C: GenericClient>(db: &C, id: i32) -> Result<Option<User>, DbError> {
    Ok(rows(db, FIND_USER, &[&id]).await?.first().map(user))
}

/// The account, where the viewer may see it.
pub(crate) async fn see_user(view: &View, id: i32) -> Result<Option<User>, DbError> {
    Ok(view.row(FIND_USER, &[&id]).await?.as_ref().map(user))
}

/// What is kept of an account, for its owner.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) user: User,
    pub(crate) sessions: Vec<Session>,
    pub(crate) passkeys: Vec<Passkey>,
}

/// The account with its sessions and passkeys, where the viewer may see them.
pub(crate) async fn see_all_of_user(view: &View, id: i32) -> Result<Option<Kept>, DbError> {
    let asked: [(&str, &[&(dyn ToSql + Sync)]); 3] =
        [(FIND_USER, &[&id]), (LIST_SESSIONS, &[&id, &EXPORT_SESSIONS_MAX]), (LIST_PASSKEYS, &[&id])];
    let [users, sessions, passkeys] = view.all(asked).await?;
    Ok(users.first().map(|row| Kept {
        user: user(row),
        sessions: sessions.iter().map(session).collect(),
        passkeys: passkeys.iter().map(passkey).collect(),
    }))
}

/// What the owner of an active account has to show, and how often the subject was wrong.
pub(crate) async fn find_proof<C: GenericClient>(db: &C, id: i32, subject: &str) -> Result<Option<Proof>, DbError> {
    let found = rows(db, include_str!("../../queries/find_proof.sql"), &[&id, &subject]).await?;
    Ok(found.first().map(|row| Proof {
        hashed_password: row.get("hashed_password"),
        second_step: second_step(row),
        failed: failed(row, "failures", "seconds"),
    }))
}

/// The account and its password hash, locked until the transaction ends.
pub(crate) async fn lock_user<C: GenericClient>(db: &C, id: i32) -> Result<Option<(User, String)>, DbError> {
    let found = rows(db, include_str!("../../queries/lock_user.sql"), &[&id]).await?;
    Ok(found.first().map(|row| (user(row), row.get("hashed_password"))))
}

pub(crate) async fn lock_user_by_email<C: GenericClient>(db: &C, email: &Email) -> Result<Option<Owner>, DbError> {
    let found = rows(db, include_str!("../../queries/lock_user_by_email.sql"), &[&email.as_str()]).await?;
    Ok(found.first().map(|row| Owner {
        id: row.get("id"),
        is_active: row.get("is_active"),
        is_verified: row.get("is_verified"),
        registered_again: row.get("registered_again"),
        has_role: row.get("has_role"),
    }))
}

/// Has the account of an address that nobody proved take the password of whoever registered last.
pub(crate) async fn replace_registration<C: GenericClient>(db: &C, id: i32, hash: &str) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/replace_registration.sql"), &[&id, &hash]).await?;
    forget_registrant(db, id).await
}

/// Removes what somebody left in an account whose address they had not proved.
pub(crate) async fn forget_registrant<C: GenericClient>(db: &C, id: i32) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/forget_registrant.sql"), &[&id]).await.map(drop)
}

/// The ids of the active administrators, all locked, and with them the account `id`.
pub(crate) async fn lock_user_and_admins<C: GenericClient>(db: &C, id: i32) -> Result<Vec<i32>, DbError> {
    let locked = rows(db, include_str!("../../queries/lock_user_and_admins.sql"), &[&id]).await?;
    Ok(locked.iter().filter(|row| row.get("is_active_admin")).map(|row| row.get("id")).collect())
}

/// Up to `limit` of the accounts that the viewer may see, behind `after`, all or those whose address matches the LIKE
/// pattern.
pub(crate) async fn list_users(
    view: &View,
    pattern: Option<&str>,
    is_active: Option<bool>,
    after: i32,
    limit: i64,
) -> Result<Vec<User>, DbError> {
    let found = match pattern {
        None => view.rows(include_str!("../../queries/list_users.sql"), &[&after, &is_active, &limit]).await?,
        Some(pattern) => {
            let sql = include_str!("../../queries/search_users.sql");
            view.rows(sql, &[&after, &is_active, &limit, &pattern]).await?
        }
    };
    Ok(found.iter().map(user).collect())
}

/// Changes an account, and its stored roles where there are any `words`; not if its address would get a role unproved.
/// Whether it did.
pub(crate) async fn change_user<C: GenericClient>(
    db: &C,
    id: i32,
    (is_active, is_admin): (bool, bool),
    words: Option<&[&str]>,
    granted_by: Option<i32>,
) -> Result<bool, DbError> {
    let sql = include_str!("../../queries/change_user.sql");
    let changed = rows(db, sql, &[&id, &is_active, &is_admin, &words, &granted_by]).await?;
    Ok(!changed.is_empty())
}

/// Whether an account may manage others now, whatever its token said.
pub(crate) async fn may_manage_users<C: GenericClient>(db: &C, id: i32) -> Result<bool, DbError> {
    let found = rows(db, include_str!("../../queries/may_manage_users.sql"), &[&id]).await?;
    Ok(found.first().is_some_and(|row| row.get("may")))
}

/// Whether the old hash was still the account's.
pub(crate) async fn rehash_password(db: &Db, id: i32, old_hash: &str, new_hash: &str) -> Result<bool, DbError> {
    let sql = include_str!("../../queries/rehash_password.sql");
    Ok(db.signed().row(sql, &[&id, &old_hash, &new_hash]).await?.is_some())
}

pub(crate) async fn find_password_hash<C: GenericClient>(db: &C, id: i32) -> Result<Option<String>, DbError> {
    let found = rows(db, include_str!("../../queries/find_password_hash.sql"), &[&id]).await?;
    Ok(found.first().map(|row| row.get(0)))
}

pub(crate) async fn find_standing<C: GenericClient>(db: &C, id: i32) -> Result<Option<Standing>, DbError> {
    let found = rows(db, include_str!("../../queries/find_standing.sql"), &[&id]).await?;
    Ok(found.first().map(standing))
}

/// Whether the one-time password of that hash was still the account's.
pub(crate) async fn replace_one_time_password(
    db: &Db,
    id: i32,
    old_hash: &str,
    new_hash: &str,
) -> Result<bool, DbError> {
    let sql = include_str!("../../queries/replace_one_time_password.sql");
    Ok(db.signed().row(sql, &[&id, &old_hash, &new_hash]).await?.is_some())
}

pub(crate) async fn set_password<C: GenericClient>(db: &C, id: i32, hash: &str) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/set_password.sql"), &[&id, &hash]).await.map(drop)
}

/// The account's address, or nothing when it is not active.
pub(crate) async fn set_password_by_reset<C: GenericClient>(
    db: &C,
    id: i32,
    hash: &str,
) -> Result<Option<String>, DbError> {
    let done = rows(db, include_str!("../../queries/set_password_by_reset.sql"), &[&id, &hash]).await?;
    Ok(done.first().map(|row| row.get(0)))
}

/// Takes everything personal out of the account, its tokens, roles and sessions with it.
pub(crate) async fn erase_user<C: GenericClient>(db: &C, id: i32) -> Result<(), DbError> {
    execute(db, include_str!("../../queries/delete_user_tokens.sql"), &[&id]).await?;
    execute(db, include_str!("../../queries/erase_user.sql"), &[&id]).await.map(drop)
}

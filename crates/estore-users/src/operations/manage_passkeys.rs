//! One's passkeys: which there are, another name, the end of one.

use estore_kit::auth::Caller;
use estore_kit::db::{DbError, Viewer, sign};
use estore_kit::paging::List;
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;
use uuid::Uuid;

use crate::letter;
use crate::limits::PASSKEY_NAME_CHARACTERS_MAX;
use crate::operations::change_profile::ChangeProfileError;
use crate::operations::step_up::require_recent_log_in;
use crate::passkey::Passkey;
use crate::service::Service;
use crate::store::mails::insert_mail;
use crate::store::passkeys as store;
use crate::store::second_factors::{delete_idle_recovery_codes, find_second_steps};
use crate::store::users::lock_user;

/// All of them, oldest first.
pub(crate) async fn list_passkeys(service: &Service, caller: &Caller) -> Result<List<Passkey>, DbError> {
    let view = service.db.seen_by(Viewer::Customer(caller.user_id));
    Ok(List { data: store::list_passkeys(&view, caller.user_id).await?, next_cursor: None })
}

/// Gives one another name.
pub(crate) async fn rename_passkey(
    service: &Service,
    caller: &Caller,
    id: Uuid,
    name: &str,
) -> Result<Passkey, Problem> {
    require_recent_log_in(caller)?;
    let mut rules = Rules::new();
    rules.text("/name", name.trim(), 1..=PASSKEY_NAME_CHARACTERS_MAX);
    rules.finish()?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let renamed = store::rename_passkey(&transaction, id, caller.user_id, name.trim()).await?;
    transaction.commit().await.map_err(DbError::from)?;
    renamed.ok_or_else(|| Problem::not_found("passkey of yours"))
}

/// Removes one, and with the last second step of the account the recovery codes; the owner is told.
pub(crate) async fn remove_passkey(service: &Service, caller: &Caller, id: Uuid) -> Result<(), Problem> {
    require_recent_log_in(caller)?;
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    // Whoever ends another second step of the account waits, and sees that this one is gone.
    let (user, _) = lock_user(&transaction, caller.user_id).await?.ok_or(ChangeProfileError::Gone)?;
    if !store::delete_passkey(&transaction, id, user.id).await? {
        return Err(Problem::not_found("passkey of yours"));
    }
    delete_idle_recovery_codes(&transaction, user.id).await?;
    let takes_more = find_second_steps(&transaction, user.id).await?.any();
    insert_mail(&transaction, &service.fields, &letter::passkey_removed(&user.email, takes_more)).await?;
    transaction.commit().await.map_err(DbError::from)?;
    service.mail_bell.notify_one();
    Ok(())
}

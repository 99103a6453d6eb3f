//! Ends sessions of one's own from another one: a device that was lost, a computer that was borrowed.

use estore_kit::auth::Caller;
use estore_kit::problem::Problem;
use uuid::Uuid;

use crate::service::Service;
use crate::store::sessions;

/// Ends one; its access tokens are refused here at once, elsewhere within a second.
pub(crate) async fn revoke_session(service: &Service, caller: &Caller, id: Uuid) -> Result<(), Problem> {
    let is_ended = sessions::revoke_session(&service.db.client().await?, id, caller.user_id).await?;
    if !is_ended {
        return Err(Problem::not_found("open session"));
    }
    service.revoke(&id.to_string());
    Ok(())
}

/// Ends all but the caller's; answers how many.
pub(crate) async fn revoke_other_sessions(service: &Service, caller: &Caller) -> Result<usize, Problem> {
    let own = Uuid::parse_str(&caller.session_id).unwrap_or_default();
    let ended = sessions::revoke_other_sessions(&service.db.client().await?, caller.user_id, own).await?;
    for id in &ended {
        service.revoke(&id.to_string());
    }
    Ok(ended.len())
}

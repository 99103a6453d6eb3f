//! A passkey alone, a session out: it says whose it is, and its authenticator has checked who uses it.

use std::net::IpAddr;

use estore_kit::problem::Problem;
use tokio::time::{Instant, sleep_until};

use crate::limits::QUIET_TIME_MIN;
use crate::operations::check_passkey::{Asked, PasskeyError, REFUSED, check_passkey};
use crate::operations::log_in::{LogInError, TokenPair, begin_for};
use crate::service::Service;
use crate::store::log_in_failures::{count_log_in_failure, find_failures};
use crate::throttle::{too_many, wait_of_address};
use crate::webauthn::wire::AuthenticationCredential;

/// Begins a session.
///
/// A signature is not guessed, so a good one never waits: nobody can lock the owner of a passkey out. One that is refused
/// counts for its network address, as wrong passwords do, and is told to wait where there were too many.
pub(crate) async fn log_in_by_passkey(
    service: &Service,
    shown: &AuthenticationCredential,
    user_agent: Option<&str>,
    address: Option<IpAddr>,
) -> Result<TokenPair, Problem> {
    let start = Instant::now();
    let refusal = match check_passkey(service, shown, Asked::to_log_in()).await {
        Ok(found) => {
            let subjects = service.throttle.subjects(&found.email, address);
            let account = (found.user_id, found.hashed_password.as_str());
            match begin_for(service, account, &subjects, user_agent).await {
                Err(LogInError::InvalidCredentials) => refused(),
                begun => return begun.map_err(|error| error.told(service.config.unverified_may_log_in)),
            }
        }
        Err(PasskeyError::Refused) => count(service, address).await?,
        Err(error) => return Err(error.into()),
    };
    sleep_until(start + QUIET_TIME_MIN).await;
    Err(refusal)
}

/// Counts a refusal for the address, if that says anything, and answers what is told.
async fn count(service: &Service, address: Option<IpAddr>) -> Result<Problem, Problem> {
    let Some(subject) = service.throttle.subjects("", address).address else { return Ok(refused()) };
    let client = service.db.client().await?;
    let seconds = wait_of_address(find_failures(&client, &subject).await?);
    if seconds > 0 {
        service.throttle.delayed.count();
        return Ok(too_many(seconds));
    }
    count_log_in_failure(&client, &[&subject]).await?;
    Ok(refused())
}

fn refused() -> Problem {
    Problem::unauthorized("passkey_refused", REFUSED)
}

//! Credentials in, a session out. An unknown address costs the same work as a wrong password, and waits as long.

use std::net::IpAddr;

use estore_kit::db::DbError;
use estore_kit::problem::{FieldError, Problem};
use estore_kit::validate::Rules;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::email::Email;
use crate::hashing::{HashingError, Verdict};
use crate::limits::{PASSWORD_BYTES_MAX, QUIET_TIME_MIN, REFUSAL_TIME_MIN};
use crate::operations::check_passkey::{Asked, PasskeyError, REFUSED};
use crate::operations::check_second_factor::{SecondFactorError, Shown, WRONG_CODE, check_second_factor, now_seconds};
use crate::password;
use crate::secret::{NoRandomness, RandomToken, Secret};
use crate::service::Service;
use crate::store::log_in_failures::{count_log_in_failure, find_log_in, is_known_address};
use crate::store::sessions::{NewSession, begin_session};
use crate::store::users::{Credentials, find_password_hash, find_standing, rehash_password, replace_one_time_password};
use crate::throttle::{Subjects, Tried, too_many};
use crate::user::Standing;

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogInError {
    #[error(
        "the address and password do not belong together, or the account is not active, or its address is not proved"
    )]
    InvalidCredentials,
    #[error("wrong passwords were tried too often; {0} seconds are to be waited")]
    Delayed(u32),
    #[error("a one-time password came without the one that is to take its place")]
    NewPasswordNeeded,
    #[error("the new password breaks a rule, or none was asked for")]
    Invalid(Problem),
    #[error(transparent)]
    Code(#[from] SecondFactorError),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error("cannot sign: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What is told of a wrong password, and as much of all else that it must not be told from.
const WRONG: &str = "The address or the password is wrong.";
/// The same where an address has to be proved first; who has just registered is to know.
const WRONG_OR_UNPROVED: &str = "The address or the password is wrong, or the address has not been confirmed yet by the \
    letter that was sent to it. POST /v1/users/verify/resend sends another one.";

impl LogInError {
    /// What is answered, by whether unproved addresses log in here (`users.unverified_may_log_in`).
    pub(crate) fn told(self, unverified_may_log_in: bool) -> Problem {
        match self {
            Self::InvalidCredentials => {
                let detail = if unverified_may_log_in { WRONG } else { WRONG_OR_UNPROVED };
                Problem::unauthorized("invalid_credentials", detail)
            }
            Self::Delayed(seconds) => too_many(seconds),
            Self::NewPasswordNeeded => Problem::forbidden(
                "password_change_required",
                "This password is good for one log-in, which has to bring the password that takes its place: new_password.",
            )
            .with_errors(vec![FieldError {
                pointer: "/new_password".into(),
                code: "missing".into(),
                detail: "is needed with a one-time password".into(),
            }]),
            Self::Invalid(problem) => problem,
            Self::Code(SecondFactorError::Wrong) => Problem::unauthorized("second_factor_wrong", WRONG_CODE),
            Self::Code(SecondFactorError::Passkey(PasskeyError::Refused)) => {
                Problem::unauthorized("passkey_refused", REFUSED)
            }
            Self::Code(error) => error.into(),
            Self::Hashing(error) => error.into(),
            Self::Random(error) => Problem::internal(error),
            Self::Signing(error) => Problem::internal(error),
            Self::Db(error) => error.into(),
        }
    }

    /// Whether it counts as a failure: somebody may be guessing.
    fn is_a_guess(&self) -> bool {
        match self {
            Self::InvalidCredentials => true,
            Self::Code(error) => error.is_a_guess(),
            _ => false,
        }
    }
}

/// The two tokens of a session.
#[derive(Debug)]
pub(crate) struct TokenPair {
    pub(crate) access: Secret,
    pub(crate) refresh: Secret,
    /// How long the access token is good for.
    pub(crate) seconds: u32,
}

/// Somebody who wants a session.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) email: &'a str,
    pub(crate) password: &'a Secret,
    /// What comes beside the password, for accounts that log in by two steps.
    pub(crate) shown: Shown<'a>,
    pub(crate) new_password: Option<&'a Secret>,
    pub(crate) user_agent: Option<&'a str>,
    /// Whence, where that is known.
    pub(crate) address: Option<IpAddr>,
}

/// Begins a session. A one-time password only does together with `new_password`, which takes its place.
pub(crate) async fn log_in(service: &Service, attempt: &Attempt<'_>) -> Result<TokenPair, LogInError> {
    let Attempt { password, shown, new_password, user_agent, address, .. } = *attempt;
    // One that is no address has no account either, and all such are one.
    let email = Email::parse(attempt.email).map_or_else(|_malformed| String::new(), |email| email.to_string());
    let subjects = service.throttle.subjects(&email, address);
    let found = checked(service, &email, &subjects, (password, shown)).await?;
    let found = settle_one_time_password(service, &email, found, new_password).await?;
    begin_for(service, (found.standing.id, &found.hashed_password), &subjects, user_agent).await
}

/// Begins a session of an account that has proved who it is, while it has this password hash.
pub(super) async fn begin_for(
    service: &Service,
    (user_id, hashed_password): (i32, &str),
    subjects: &Subjects,
    user_agent: Option<&str>,
) -> Result<TokenPair, LogInError> {
    let refresh = RandomToken::generate()?;
    let id = Uuid::now_v7();
    let session = NewSession {
        id,
        user_id,
        user_agent,
        days: service.session_days(),
        token_hash: &refresh.hash,
        hashed_password,
        admits_unverified: service.config.unverified_may_log_in,
        subjects,
    };
    let user = begin(service, &session).await?;
    let access = service.signer.sign(&user, id, now_seconds())?;
    Ok(TokenPair { access, refresh: refresh.secret, seconds: service.signer.seconds() })
}

/// What the account may do at the moment that the session begins: its password, its roles and whether it is active may
/// have changed while the hash was worked out.
async fn begin(service: &Service, session: &NewSession<'_>) -> Result<Standing, LogInError> {
    let mut client = service.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    if !begin_session(&transaction, session).await? {
        return Err(LogInError::InvalidCredentials);
    }
    let user = find_standing(&transaction, session.user_id).await?.ok_or(LogInError::InvalidCredentials)?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(user)
}

/// The account whose password this is. Whoever waits for a delay is refused without a look at the password.
async fn checked(
    service: &Service,
    email: &str,
    subjects: &Subjects,
    (password, shown): (&Secret, Shown<'_>),
) -> Result<Credentials, LogInError> {
    let start = Instant::now();
    let turn = service.throttle.turn(&subjects.account).await;
    let (found, tried) = find_log_in(&service.db.client().await?, email, subjects).await?;
    let seconds = wait(service, email, subjects, &tried).await?;
    if seconds > 0 {
        drop(turn);
        service.throttle.delayed.count();
        sleep_until(start + QUIET_TIME_MIN).await;
        return Err(LogInError::Delayed(seconds));
    }
    match check_both(service, found, password, shown).await {
        Err(refused) if refused.is_a_guess() => {
            count_log_in_failure(&service.db.client().await?, &subjects.all()).await?;
            drop(turn);
            // Hashes from elsewhere take another time than ours; it must not tell who has one.
            sleep_until(start + REFUSAL_TIME_MIN).await;
            Err(refused)
        }
        checked => checked,
    }
}

/// How many seconds are still to be waited; where the account is at home, for its own failures there alone.
async fn wait(service: &Service, email: &str, subjects: &Subjects, tried: &Tried) -> Result<u32, LogInError> {
    let seconds = tried.wait_of_stranger();
    let own = tried.wait_where_known();
    let Some(address) = subjects.address.as_ref().filter(|_| seconds > own) else { return Ok(seconds.max(own)) };
    let is_known = is_known_address(&service.db.client().await?, email, address).await?;
    Ok(if is_known { own } else { seconds })
}

/// The first step, and where the account has a second one, that.
async fn check_both(
    service: &Service,
    found: Option<Credentials>,
    password: &Secret,
    shown: Shown<'_>,
) -> Result<Credentials, LogInError> {
    let found = check_password(service, found, password).await?;
    if found.second_step.is_asked_for() {
        let id = found.standing.id;
        check_second_factor(service, id, &found.second_step, shown, Asked::beside_password(id)).await?;
    }
    Ok(found)
}

async fn check_password(
    service: &Service,
    found: Option<Credentials>,
    password: &Secret,
) -> Result<Credentials, LogInError> {
    if password.reveal().len() > PASSWORD_BYTES_MAX {
        return Err(LogInError::InvalidCredentials);
    }
    let hash = found.as_ref().map(|found| found.hashed_password.as_str());
    let verdict = service.hasher.verify(password, hash).await?;
    let is_right = verdict != Verdict::Wrong;
    // Before anything that only a right password costs or tells: a new hash, a second step, a new password.
    let found = found.filter(|found| is_right && found.is_active && service.admits(found.standing.is_verified));
    let mut found = found.ok_or(LogInError::InvalidCredentials)?;
    if verdict == Verdict::RightButOld {
        found.hashed_password = rehashed(service, &found, password).await?;
    }
    Ok(found)
}

/// The present hash of the password, which is put in the place of an old one; of two log-ins at once, one puts it there.
async fn rehashed(service: &Service, found: &Credentials, password: &Secret) -> Result<String, LogInError> {
    let fresh = service.hasher.hash(password).await?;
    let id = found.standing.id;
    if rehash_password(&service.db, id, &found.hashed_password, &fresh).await? {
        return Ok(fresh);
    }
    let present = find_password_hash(&service.db.client().await?, id).await?;
    let verdict = service.hasher.verify(password, present.as_deref()).await?;
    present.filter(|_| verdict == Verdict::Right).ok_or(LogInError::InvalidCredentials)
}

/// Puts the new password in the place of a one-time password; of two at once, one has it.
async fn settle_one_time_password(
    service: &Service,
    email: &str,
    found: Credentials,
    new_password: Option<&Secret>,
) -> Result<Credentials, LogInError> {
    let mut rules = Rules::new();
    match (found.is_one_time, new_password) {
        (false, None) => return Ok(found),
        (true, None) => return Err(LogInError::NewPasswordNeeded),
        (false, Some(_)) => {
            let detail = "is only for one-time passwords; change a password by PATCH /v1/users/me";
            rules.broken("/new_password", "not_asked_for", detail);
        }
        (true, Some(new)) => {
            password::check(new.reveal(), Email::parse(email).ok().as_ref(), "/new_password", &mut rules);
            let checked = service.breached.check(new, "/new_password", &mut rules).await;
            checked.map_err(LogInError::Invalid)?;
        }
    }
    rules.finish().map_err(LogInError::Invalid)?;
    let Some(new) = new_password else { return Err(LogInError::NewPasswordNeeded) };
    let hash = service.hasher.hash(new).await?;
    let is_ours = replace_one_time_password(&service.db, found.standing.id, &found.hashed_password, &hash).await?;
    if is_ours { Ok(Credentials { hashed_password: hash, ..found }) } else { Err(LogInError::InvalidCredentials) }
}

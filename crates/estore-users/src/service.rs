//! The service as the binary holds it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use estore_api::customers::CustomersApi;
use estore_api::events::EventsApi;
use estore_kit::auth::Revocations;
use estore_kit::db::{Db, DbError};
use estore_kit::field::{Fields, RingError};
use estore_kit::problem::Problem;
use jsonwebtoken::jwk::JwkSet;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::access_token::{KeyError, Signer};
use crate::breached::{BreachedListError, BreachedPasswords};
use crate::config::UsersConfig;
use crate::hashing::Hasher;
use crate::open_challenge::OpenChallenges;
use crate::operations::create_admin::{CreateAdminError, create_admin};
use crate::operations::grant_roles::{GrantRolesError, forget_second_factor, grant_roles};
use crate::operations::import_customers::{ImportError, ImportReport, import_customers};
use crate::operations::{announce_ended_sessions, deliver_mail, purge_expired};
use crate::post::{Post, PostError};
use crate::sealing::Sealer;
use crate::store::users::find_active_admin;
use crate::throttle::Throttle;
use crate::user::Role;
use crate::webauthn::relying_party::RelyingParty;

/// UserService; cheap to clone.
#[derive(Clone)]
pub struct Users {
    pub(crate) service: Arc<Service>,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Users").field("config", &self.service.config).finish_non_exhaustive()
    }
}

/// What operations need.
pub(crate) struct Service {
    pub(crate) db: Db,
    pub(crate) config: UsersConfig,
    pub(crate) hasher: Hasher,
    pub(crate) breached: BreachedPasswords,
    pub(crate) signer: Signer,
    pub(crate) sealer: Sealer,
    /// For whom passkeys are made; nothing where the shop has no name.
    pub(crate) relying_party: Option<RelyingParty>,
    /// Seals letters that wait.
    pub(crate) fields: Arc<Fields>,
    pub(crate) post: Post,
    pub(crate) throttle: Throttle,
    /// Of those who log in by passkeys.
    pub(crate) open_challenges: OpenChallenges,
    /// Who has the purchases of customers.
    pub(crate) customers: OnceLock<Arc<dyn CustomersApi>>,
    /// Rung when a letter has been written.
    pub(crate) mail_bell: Notify,
    /// Sessions that have ended, for whoever verifies access tokens.
    pub(crate) revocations: Arc<Revocations>,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key that signs access tokens, or the one that seals.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keys of sealed fields.
    #[error(transparent)]
    Fields(#[from] RingError),
    /// The list of leaked passwords.
    #[error(transparent)]
    Breached(#[from] BreachedListError),
    /// The way mail leaves.
    #[error(transparent)]
    Post(#[from] PostError),
    /// The threads that hash passwords.
    #[error("cannot start a thread: {0}")]
    Threads(#[from] std::io::Error),
    /// A setting that makes no sense.
    #[error("users.{0} must be at least 1")]
    Zero(&'static str),
    /// For whom passkeys are made.
    #[error("{0}")]
    Passkeys(String),
}

impl Users {
    /// Opens or makes the signing key and the way for mail.
    ///
    /// # Errors
    /// [`StartError`] naming the setting or file at fault.
    pub async fn start(db: Db, config: UsersConfig) -> Result<Self, StartError> {
        let numbers = [
            ("access_token_seconds", config.access_token_seconds),
            ("refresh_token_days", config.refresh_token_days),
            ("verification_hours", config.verification_hours),
            ("reset_minutes", config.reset_minutes),
        ];
        if let Some((name, _)) = numbers.iter().find(|(_, number)| *number == 0) {
            return Err(StartError::Zero(name));
        }
        let relying_party = RelyingParty::of(&config.passkeys, &config.public_url).map_err(StartError::Passkeys)?;
        let signer = Signer::open(&config.token_key_file, config.access_token_seconds)?;
        let sealer = Sealer::open(&config.totp_key_file)?;
        let fields = match &config.fields {
            Some(fields) => Arc::clone(fields),
            None => Arc::new(Fields::passing()?),
        };
        let breached = BreachedPasswords::open(&config.breached_passwords_file)?;
        let post = Post::open(&config.mail)?;
        let hasher = Hasher::start(config.hashes_at_a_time)?;
        let revocations = Arc::default();
        let throttle = Throttle::new(signer.naming_key());
        let open_challenges = OpenChallenges::new(signer.challenge_key());
        let service = Service {
            db,
            config,
            hasher,
            breached,
            signer,
            sealer,
            relying_party,
            fields,
            post,
            throttle,
            open_challenges,
            customers: OnceLock::new(),
            mail_bell: Notify::new(),
            revocations,
        };
        Ok(Self { service: Arc::new(service) })
    }

    /// Has `customers` asked for what people take away of their purchases.
    pub fn export_through(&self, customers: Arc<dyn CustomersApi>) {
        drop(self.service.customers.set(customers));
    }

    /// The public keys that verify access tokens.
    #[must_use]
    pub fn key_set(&self) -> JwkSet {
        self.service.signer.key_set().clone()
    }

    /// The sessions that have ended while their access tokens were still good; right while the jobs run.
    #[must_use]
    pub fn revocations(&self) -> Arc<Revocations> {
        Arc::clone(&self.service.revocations)
    }

    /// The routes of this service. They need `Extension(Arc<estore_kit::auth::Verifier>)` around them.
    pub fn router(&self) -> OpenApiRouter {
        crate::http::router(Arc::clone(&self.service))
    }

    /// The routes for neighbours in other processes. The binary puts the service door around them.
    pub fn internal_router(&self) -> axum::Router {
        crate::http::internal(Arc::clone(&self.service))
    }

    /// Delivers mail, hands events on, hears of ended sessions and removes what has ended, until `shutdown`.
    pub async fn run_jobs(&self, events: Arc<dyn EventsApi>, shutdown: CancellationToken) {
        tokio::join!(
            deliver_mail::run(&self.service, &shutdown),
            estore_api::events::relay(&self.service.db, &events, &shutdown),
            purge_expired::run(&self.service, &shutdown),
            announce_ended_sessions::run(&self.service, &shutdown),
        );
    }

    /// Makes a verified administrator and answers the id.
    ///
    /// # Errors
    /// [`CreateAdminError`]: the address or password breaks a rule or the address is taken.
    pub async fn create_admin(&self, email: &str, password: &str) -> Result<i32, CreateAdminError> {
        create_admin(&self.service, email, password, false).await
    }

    /// Makes a verified administrator whose password has been shown to somebody: the first log-in has to bring another
    /// one. Answers the id.
    ///
    /// # Errors
    /// [`CreateAdminError`]: the address or password breaks a rule or the address is taken.
    pub async fn create_admin_once(&self, email: &str, one_time_password: &str) -> Result<i32, CreateAdminError> {
        create_admin(&self.service, email, one_time_password, true).await
    }

    /// Gives the account of an address some roles and takes others from it; answers the words of those that it has
    /// now. Whoever loses one is logged out.
    ///
    /// # Errors
    /// [`GrantRolesError`]: there is no such account, nobody has proved its address, or it is the last administrator.
    pub async fn grant_roles(
        &self,
        email: &str,
        granted: &[Role],
        revoked: &[Role],
    ) -> Result<Vec<String>, GrantRolesError> {
        grant_roles(&self.service, email, granted, revoked).await
    }

    /// Ends the authenticator and the passkeys of the account of an address, whose owner has lost them and the recovery
    /// codes, and writes to them; whether there were any.
    ///
    /// # Errors
    /// [`GrantRolesError`]: there is no such account.
    pub async fn forget_second_factor(&self, email: &str) -> Result<bool, GrantRolesError> {
        forget_second_factor(&self.service, email).await
    }

    /// Whether there is an active administrator.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn has_admin(&self) -> Result<bool, DbError> {
        find_active_admin(&self.service.db.client().await?).await
    }

    /// Makes accounts of the rows of a CSV file, all or none, and answers what was done. Its columns:
    /// `email`, `hashed_password` (Argon2id or bcrypt) or `password`, and, where wanted, `is_verified`,
    /// `is_active` and `is_admin`. Who is not said to be verified proves the address before a log-in, where the shop
    /// asks for that. Addresses that have an account already are left as they are, so that
    /// an import may be repeated. `progress` hears how many rows have been read.
    ///
    /// # Errors
    /// [`ImportError`]; nothing has been changed then.
    pub async fn import_customers(
        &self,
        reader: impl std::io::Read + Send + 'static,
        progress: impl FnMut(u64),
    ) -> Result<ImportReport, ImportError> {
        import_customers(&self.service, reader, progress).await
    }
}

impl Service {
    /// Whether an account may have a session, by whether its address is proved.
    pub(crate) fn admits(&self, is_verified: bool) -> bool {
        is_verified || self.config.unverified_may_log_in
    }

    /// Days of a session, as the database counts them.
    pub(crate) fn session_days(&self) -> i32 {
        i32::try_from(self.config.refresh_token_days).unwrap_or(i32::MAX)
    }

    /// Hours of a verification link, as the database counts them.
    pub(crate) fn verification_hours(&self) -> i32 {
        i32::try_from(self.config.verification_hours).unwrap_or(i32::MAX)
    }

    /// Minutes of a reset link, as the database counts them.
    pub(crate) fn reset_minutes(&self) -> i32 {
        i32::try_from(self.config.reset_minutes).unwrap_or(i32::MAX)
    }
}

/// Runs `work` and answers no sooner than `floor` after the start, so that the time tells nothing.
pub(crate) async fn quietly<R>(floor: Duration, work: impl Future<Output = Result<R, Problem>>) -> Result<R, Problem> {
    let end = Instant::now() + floor;
    let done = work.await;
    sleep_until(end).await;
    done
}

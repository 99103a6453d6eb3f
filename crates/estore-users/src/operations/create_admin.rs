//! An administrator, made from the command line.

use estore_kit::db::DbError;

use crate::breached::LEAKED;
use crate::email::Email;
use crate::hashing::HashingError;
use crate::password;
use crate::secret::Secret;
use crate::service::Service;
use crate::store::users::insert_admin;

/// Why there is no new administrator.
#[derive(Debug, thiserror::Error)]
pub enum CreateAdminError {
    /// The address breaks a rule.
    #[error("the address {0}")]
    Email(String),
    /// The password breaks a rule.
    #[error("the password {0}")]
    Password(String),
    /// The address has an account.
    #[error("there is an account with this address already; give it the role by PATCH /v1/users/{{id}}")]
    Taken,
    /// Hashing did not work.
    #[error("{0}")]
    Hashing(String),
    /// The database did not work.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Makes the account, verified. A one-time password is good for setting another one, and for nothing else.
pub(crate) async fn create_admin(
    service: &Service,
    email: &str,
    password: &str,
    is_one_time: bool,
) -> Result<i32, CreateAdminError> {
    let email = Email::parse(email).map_err(|error| CreateAdminError::Email(error.to_string()))?;
    password::judge(password, Some(&email)).map_err(|fault| CreateAdminError::Password(fault.to_string()))?;
    let secret = Secret::new(password.to_owned());
    let is_leaked = service.breached.holds(&secret).await;
    if is_leaked
        .map_err(|error| CreateAdminError::Hashing(format!("cannot read the list of leaked passwords: {error}")))?
    {
        return Err(CreateAdminError::Password(LEAKED.to_owned()));
    }
    let hashed = service.hasher.hash(&secret).await;
    let hashed = hashed.map_err(|error: HashingError| CreateAdminError::Hashing(error.to_string()))?;
    insert_admin(&service.db.client().await?, &email, &hashed, is_one_time).await?.ok_or(CreateAdminError::Taken)
}

//! UserService: accounts, credentials, verification, sessions and roles.
//!
//! Access tokens are verified by anybody who has the published keys; everything else about a
//! person stays here.

mod access_token;
mod api_key;
mod breached;
mod checks;
mod config;
mod customer_csv;
mod email;
mod figures;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod hashing;
mod http;
mod letter;
mod limits;
mod open_challenge;
mod operations;
mod passkey;
mod password;
mod post;
mod purges;
mod schema;
mod sealed;
mod sealing;
mod secret;
mod service;
mod store;
mod throttle;
mod totp;
mod user;
mod webauthn;

pub use access_token::KeyError;
pub use breached::BreachedListError;
pub use checks::CHECKS;
pub use config::{MailConfig, MailKind, PasskeysConfig, UsersConfig};
pub use operations::create_admin::CreateAdminError;
pub use operations::grant_roles::GrantRolesError;
pub use operations::import_customers::{ImportError, ImportFault, ImportReport};
pub use post::PostError;
pub use purges::PURGES;
pub use schema::MIGRATIONS;
pub use sealed::SEALED_COLUMNS;
pub use service::{StartError, Users};
pub use user::Role;

//! Calls the statements of `queries/`, one function each.

pub(crate) mod api_keys;
pub(crate) mod log_in_failures;
pub(crate) mod mails;
pub(crate) mod passkeys;
pub(crate) mod second_factors;
pub(crate) mod sessions;
pub(crate) mod tokens;
pub(crate) mod users;

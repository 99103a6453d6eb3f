//! One use case, one file.

pub(crate) mod announce_ended_sessions;
pub(crate) mod change_profile;
pub(crate) mod change_user;
pub(crate) mod confirm_password_reset;
pub(crate) mod create_admin;
pub(crate) mod create_api_key;
pub(crate) mod deliver_mail;
pub(crate) mod erase_account;
pub(crate) mod export_account;
pub(crate) mod find_api_key;
pub(crate) mod grant_roles;
pub(crate) mod import_customers;
pub(crate) mod list_sessions;
pub(crate) mod list_users;
pub(crate) mod log_in;
pub(crate) mod manage_api_keys;
pub(crate) mod purge_expired;
pub(crate) mod refresh_session;
pub(crate) mod register;
pub(crate) mod request_password_reset;
pub(crate) mod resend_verification;
pub(crate) mod revoke_session;
pub(crate) mod verify_email;
pub(crate) mod write_order_mails;

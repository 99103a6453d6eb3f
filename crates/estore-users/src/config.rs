//! What can be set.

use std::path::PathBuf;
use std::sync::Arc;

use estore_kit::field::Fields;
use estore_kit::secret::Secret;
use serde::Deserialize;

/// The section `[users]` of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UsersConfig {
    /// What mailed links begin with.
    pub public_url: String,
    /// The Ed25519 key (PKCS#8 in PEM) that signs access tokens; made when it is missing.
    pub token_key_file: PathBuf,
    /// The key that seals the secrets of second factors; made when it is missing. Without it they cannot be used.
    pub totp_key_file: PathBuf,
    /// How long an access token is good for, in seconds.
    pub access_token_seconds: u32,
    /// How long a session lives without being used, in days.
    pub refresh_token_days: u32,
    /// How long a verification link is good for, in hours.
    pub verification_hours: u32,
    /// How long a reset link is good for, in minutes.
    pub reset_minutes: u32,
    /// Whether an account may log in whose address nobody has proved yet. Where it may not, it is refused as a wrong
    /// password is, so that nobody learns by registering an address and logging in whether it was free.
    pub unverified_may_log_in: bool,
    /// How many passwords are hashed at a time, half of the processors when left out; each takes one and 19 MiB.
    pub hashes_at_a_time: usize,
    /// A list of leaked passwords, which are not taken: sorted lines of SHA-1 in 40 hexadecimal digits, with `:<count>`
    /// behind or without, such as Have I Been Pwned's ordered by hash. None when empty.
    pub breached_passwords_file: PathBuf,
    /// For whom passkeys are made.
    pub passkeys: PasskeysConfig,
    /// How mail leaves.
    pub mail: MailConfig,
    /// Seals letters that wait; under a key that ends with the process where nothing is given.
    #[serde(skip)]
    pub fields: Option<Arc<Fields>>,
}

impl Default for UsersConfig {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            token_key_file: PathBuf::from("estore-data/secrets/token-key.pem"),
            totp_key_file: PathBuf::from("estore-data/secrets/totp-key"),
            access_token_seconds: 900,
            refresh_token_days: 30,
            verification_hours: 24,
            reset_minutes: 60,
            unverified_may_log_in: false,
            hashes_at_a_time: std::thread::available_parallelism().map_or(1, |cores| cores.get() / 2).max(1),
            breached_passwords_file: PathBuf::new(),
            passkeys: PasskeysConfig::default(),
            mail: MailConfig::default(),
            fields: None,
        }
    }
}

/// The section `[users.passkeys]`. Passkeys are bound to `rp_id` for good: with another one, none does any more.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasskeysConfig {
    /// The domain that passkeys are for, such as `example.com`; that of `public_url` when empty.
    pub rp_id: String,
    /// How authenticators show the shop.
    pub rp_name: String,
    /// The origins whose pages may use them, such as `https://shop.example.com`; that of `public_url` when empty.
    pub origins: Vec<String>,
}

impl Default for PasskeysConfig {
    fn default() -> Self {
        Self { rp_id: String::new(), rp_name: "EStore".to_owned(), origins: Vec::new() }
    }
}

/// The section `[users.mail]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// Whether letters become files or go to a mail server.
    pub kind: MailKind,
    /// The folder of the `.eml` files, made when it is missing.
    pub dir: PathBuf,
    /// The mail server: `smtps://user:password@host`, or `smtp://host?tls=required`.
    pub url: Secret,
    /// Who letters are from.
    pub from: String,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            kind: MailKind::Files,
            dir: PathBuf::from("estore-data/mail"),
            url: Secret::default(),
            from: "EStore <no-reply@localhost.localdomain>".to_owned(),
        }
    }
}

/// Where letters go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailKind {
    /// One `.eml` file a letter.
    #[default]
    Files,
    /// A mail server.
    Smtp,
}

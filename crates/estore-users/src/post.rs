//! Letters leave: as files, or to a mail server.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox, Message};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Tokio1Executor};

use crate::config::{MailConfig, MailKind};
use crate::limits::MAIL_DELIVERY_TIME_MAX;
use crate::store::mails::DueMail;

/// The longest line that mail carries, in bytes.
const LINE_BYTES_MAX: usize = 998;

/// Why mail cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// `mail.from` is no address.
    #[error("users.mail.from is not an address such as `Shop <shop@example.com>`: {0}")]
    From(String),
    /// `mail.url` is no mail server.
    #[error("users.mail.url does not name a mail server (smtps://user:password@host): {0}")]
    Url(String),
    /// The folder of the files cannot be made.
    #[error("cannot make the mail folder {path}: {cause}")]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        cause: io::Error,
    },
}

/// Why one letter did not leave.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// Trying again may help.
    #[error("{0}")]
    Again(String),
    /// The receiving side says it never will.
    #[error("{0}")]
    Never(String),
}

enum Way {
    Files(PathBuf),
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
}

/// Delivers letters.
pub(crate) struct Post {
    from: Mailbox,
    way: Way,
}

impl Post {
    pub(crate) fn open(config: &MailConfig) -> Result<Self, PostError> {
        let from: Mailbox = config.from.parse().map_err(|error| PostError::From(format!("{error}")))?;
        let way = match config.kind {
            MailKind::Files => {
                let folder = |cause| PostError::Folder { path: config.dir.display().to_string(), cause };
                std::fs::create_dir_all(&config.dir).map_err(folder)?;
                Way::Files(config.dir.clone())
            }
            MailKind::Smtp => {
                let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.url.reveal())
                    .map_err(|error| PostError::Url(error.to_string()))?;
                Way::Smtp(Box::new(server.timeout(Some(MAIL_DELIVERY_TIME_MAX)).build()))
            }
        };
        Ok(Self { from, way })
    }

    /// Hands one letter over. A repeat carries the same message id, and as a file the same name.
    pub(crate) async fn deliver(&self, mail: &DueMail) -> Result<(), DeliveryError> {
        let message = self.message(mail)?;
        match &self.way {
            Way::Files(folder) => {
                let path = folder.join(file_name(mail));
                let bytes = message.formatted();
                let written = tokio::task::spawn_blocking(move || write_whole(&path, &bytes)).await;
                written
                    .map_err(|panicked| DeliveryError::Again(panicked.to_string()))?
                    .map_err(|error| DeliveryError::Again(error.to_string()))
            }
            Way::Smtp(server) => {
                let sending = tokio::time::timeout(MAIL_DELIVERY_TIME_MAX, server.send(message)).await;
                let sent =
                    sending.map_err(|_elapsed| DeliveryError::Again("the mail server is too slow".to_owned()))?;
                sent.map(drop).map_err(|error| {
                    let text = error.to_string();
                    if error.is_permanent() { DeliveryError::Never(text) } else { DeliveryError::Again(text) }
                })
            }
        }
    }

    fn message(&self, mail: &DueMail) -> Result<Message, DeliveryError> {
        let never = |error: &dyn std::fmt::Display| DeliveryError::Never(error.to_string());
        let to: Mailbox = mail.recipient.parse().map_err(|error: lettre::address::AddressError| never(&error))?;
        let (made, domain) = (mail.created_at.as_millisecond(), self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .date(mail.created_at.into())
            .message_id(Some(format!("<{}.{made}@{domain}>", mail.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(body_of(&mail.body))
            .map_err(|error| never(&error))
    }
}

/// As it stands where mail allows it: quoted-printable would break links apart for those who read the files.
fn body_of(text: &str) -> Body {
    let plain =
        text.is_ascii() && !text.contains(['\0', '\r']) && text.lines().all(|line| line.len() <= LINE_BYTES_MAX);
    if plain {
        Body::dangerous_pre_encoded(text.replace('\n', "\r\n").into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text.to_owned())
    }
}

/// Sorts by time of writing.
fn file_name(mail: &DueMail) -> String {
    let made = mail.created_at.strftime("%Y%m%dT%H%M%SZ");
    format!("{made}-{:08}-{}.eml", mail.id, mail.kind)
}

/// A reader of the folder sees a whole letter or none; letters hold tokens, so nobody else may read them.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let draft = path.with_extension("part");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}

//! Why something sealed cannot be had.

use axum::http::StatusCode;

use super::aead::AeadError;
use super::source::RingError;
use crate::problem::Problem;
use crate::request;

/// Why a field cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Its key is not in the ring.
    #[error(
        "{place} is sealed under the key {key}, which is not among those of {source_name}: bring that key back from where it is \
         kept apart from the backups (a line of the file is a key), or restore it with the rest of DIR/secrets"
    )]
    UnknownKey {
        /// Where it stands.
        place: String,
        /// The key's name.
        key: String,
        /// Where keys are looked for.
        source_name: String,
    },
    /// It belongs elsewhere, or was altered.
    #[error("{0} does not open: what stands there was altered, or sealed for another row or column")]
    Broken(String),
    /// The ring cannot be read.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The system gives no random numbers.
    #[error("cannot seal: {0}")]
    Refused(#[from] AeadError),
}

impl From<SealError> for Problem {
    fn from(error: SealError) -> Self {
        let (cause, request_id) = (error.to_string(), request::current_id());
        tracing::error!(cause, request_id = %request_id, "a sealed field cannot be read or written");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "sealed_field_unreadable",
            "What is asked for is stored sealed, and its key is missing or it was altered. The log says which key, and how \
             to bring it back; quote the request id when you report it.",
        )
    }
}

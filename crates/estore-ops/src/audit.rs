//! The audit log, and the chain of signed seals over it and over the books of orders, stock and money.
//!
//! Rows are written without a seal. One sealer for each database takes those that no transaction can still add to, digests
//! them by the batch, and appends a seal that holds the head of the seal before: whoever changes, drops, adds or reorders
//! rows or seals afterwards cannot make the chain fit again without the key.

mod anchor;
mod book;
mod farewell;
mod keys;
mod seal;
mod sealer;
mod show;
mod verify;

pub use anchor::Anchor;
pub(crate) use anchor::newest;
pub(crate) use farewell::{Farewell, Leaving, farewell, release, take_turn};
pub use keys::{Rotation, RotationError};
pub use seal::Head;
pub use sealer::{SealError, Sealed, Sealer};
pub use show::{Change, Wanted, show};
pub use verify::{Audited, Extent, Fault, Waiting, verify};

//! Backups of the three databases: taken at one moment, encrypted, signed, and believed only once they
//! have been restored and checked.
//!
//! A set is a folder of a target: `<id>/globals….sql.zst.age`, `<id>/<database>.dump.zst.age`,
//! `<id>/manifest.sig` and, last, `<id>/manifest.json`. Without its manifest a set is no backup.

mod anchors;
mod checks;
mod contents;
mod controls;
mod create;
mod error;
mod fence;
mod files;
mod globals;
mod keys;
mod level;
mod list;
mod manifest;
mod pipeline;
mod program;
mod progress;
pub(crate) mod restore;
mod retention;
mod scratch;
mod scratch_folder;
mod signature;
mod store;
mod switch;
mod verify;

pub use anchors::anchors;
pub use create::{BackupOptions, Created, Source, create};
pub use error::BackupError;
pub use fence::{Fence, FenceOptions, FencePolicy};
pub use keys::{Identity, Recipients, generate_identity};
pub use level::{Level, Report, Verdict};
pub use list::{Listed, list};
pub use manifest::{Contents, DatabaseBackup, Manifest, StoredFile, TableContents};
pub use progress::{BackupEvent, BackupProgress, silent};
pub use restore::{RestoreOptions, Restored, restore_beside, restore_into};
pub use retention::{Retention, prune};
pub use signature::{SignerKey, SigningKey};
pub use store::Target;
pub use switch::{Live, restored_name, switch};
pub use verify::{ExtraLevel, VerifyOptions, verify};

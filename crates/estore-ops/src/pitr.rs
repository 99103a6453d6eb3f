//! Recovery to any moment: base backups and all of the write-ahead log since, kept by an archiver of its own.
//!
//! `<data dir>/postgres/archive/` holds the archiver's settings, the repository everything that is kept. Who archives
//! is behind [`Archiver`]; pgBackRest is the one there is.

mod archiver;
mod choice;
mod error;
mod mark;
mod moment;
mod own_server;
mod pgbackrest;
mod restore;
mod setup;
mod status;

pub use archiver::{Archiver, Base, Kind, Reach};
pub use choice::Window;
pub use error::PitrError;
pub use mark::{Mark, mark};
pub use moment::{Lsn, Moment};
pub use own_server::instructions;
pub use pgbackrest::PgBackRest;
pub use restore::{RecoverOptions, Recovered, recover_into};
pub use setup::{SetupOptions, archiver_of, is_set_up, set_up};
pub use status::{ArchiveStatus, archive_status};

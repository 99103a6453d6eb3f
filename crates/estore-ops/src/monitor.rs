//! What servers and databases tell of themselves, and the server's log of them.

pub mod advice;
mod cache;
pub mod concern;
pub mod condition;
pub mod database;
pub mod exporter;
pub mod index;
pub mod log;
mod look;
pub mod lookout;
mod percent;
pub mod reading;
pub mod report;
pub mod server;
mod session;
mod sql_text;
pub mod statement;
pub mod table;
mod unseen;

pub use cache::{Activity, TableReads};
pub use look::{Counters, FirstSeen, Look, LookError, Looks, database_id};
pub use session::{APPLICATION, Extension, Session, wrapped};
pub use unseen::{Seen, Unseen};

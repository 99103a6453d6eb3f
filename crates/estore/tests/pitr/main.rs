//! Recovery to any moment: a table is dropped while orders flow, and every order up to that instant comes back.

mod archive;
mod recovery;
mod setup;

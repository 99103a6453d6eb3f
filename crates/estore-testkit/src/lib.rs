//! Runs the real thing for tests: a PostgreSQL shared by all of them, databases of their own.

pub mod client;
pub mod cluster;
pub mod corpus;
pub mod localstripe;
pub mod plans;
pub mod proxy;
pub mod receiver;
pub mod shop;

//! The contracts between the services: a trait, its wire types and its HTTP client for each.
//!
//! In one process a service gets its neighbour as an object; in several it gets the client. It cannot tell which.

pub mod customers;
pub mod events;
pub mod inventory;
pub mod neighbour;
pub mod users;

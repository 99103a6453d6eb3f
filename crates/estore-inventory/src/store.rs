//! Calls of the SQL in `queries/`, one function a statement.

pub(crate) mod categories;
pub(crate) mod exports;
pub(crate) mod holds;
pub(crate) mod imports;
pub(crate) mod index;
pub(crate) mod products;
pub(crate) mod stock;

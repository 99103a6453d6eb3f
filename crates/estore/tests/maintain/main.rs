//! `estore db maintain` as people call it, and the partitions of the orders' history.

mod command;
mod partitions;

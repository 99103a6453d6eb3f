//! The runner on a real database: up, down, redo, and everything that may come in between.

mod both_ways;
mod broken_off;
mod refused;
mod setup;
mod waits;

//! The upkeep of a real database: what is due is done and nothing else, and nobody waits for it.

mod indexes;
mod patience;
mod setup;
mod thresholds;

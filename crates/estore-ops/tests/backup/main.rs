//! Backups of real databases: taken, listed, proven, attacked, restored and pruned.

mod attacks;
mod fence;
mod sets;
mod setup;
mod stores;
mod whole;

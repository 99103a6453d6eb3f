//! The launcher on real data directories: start, stop, take over, keep alive.

mod killed;
mod obstacles;
mod roles;
mod setup;
mod starts;

//! The table of orders as partitions and back: whole, cut at every step, and while the shop sells.

mod cut;
mod maintained;
mod plans;
mod refused;
mod selling;
mod table;
mod turned;

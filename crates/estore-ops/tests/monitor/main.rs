//! What is told of databases: by the monitor's role, as psql has it, hanging on nobody, without a value in it.

mod clients;
mod figures;
mod indexes;
mod limits;
mod private;
mod setup;
mod statements;

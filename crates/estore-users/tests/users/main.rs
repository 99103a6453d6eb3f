//! UserService through its routes, on a real PostgreSQL.

mod administration;
mod desk;
mod import;
mod letters;
mod life;
mod pages;
mod post;
mod schema;
mod sessions;
mod statements;

//! UserService through its routes, on a real PostgreSQL.

mod administration;
mod api_keys;
mod audit;
mod authenticator;
mod desk;
mod erasure;
mod events;
mod import;
mod leaks;
mod letters;
mod life;
mod pages;
mod passkey_challenges;
mod passkey_refusals;
mod passkeys;
mod post;
mod races;
mod registrations;
mod schema;
mod second_factor;
mod sessions;
mod statements;
mod throttle;
mod timing;
mod unverified;

//! Tests through the routes, on a real PostgreSQL, with a neighbour and a gateway that fail when told to.

mod attention;
mod audit;
mod batches;
mod bench;
mod cards;
mod carried;
mod crashes;
mod events;
mod export;
mod fall;
mod faulty_gateway;
mod leaks;
mod manual;
mod pipelined;
mod placing;
mod plans;
mod receiver;
mod refunds;
mod schema;
mod sealed;
mod stock;
mod stripe;
mod webhook_endpoints;
mod webhook_receivers;
mod webhooks;

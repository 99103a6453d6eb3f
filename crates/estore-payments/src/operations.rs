//! The use cases, one a file.

pub(crate) mod add_payment_method;
pub(crate) mod cancel_order;
pub(crate) mod cancel_waiting;
pub(crate) mod change_order_status;
pub(crate) mod change_webhook_endpoint;
pub(crate) mod continue_checkout;
pub(crate) mod create_webhook_endpoint;
pub(crate) mod deactivate_payment_method;
pub(crate) mod delete_webhook_endpoint;
pub(crate) mod deliver_webhooks;
pub(crate) mod forget_cards;
pub mod place_checkout;
pub(crate) mod publish_events;
pub(crate) mod receive_stripe_event;
pub(crate) mod record_dispute;
pub(crate) mod refund_order;
pub(crate) mod relay_outbox;
pub(crate) mod replay_webhooks;
pub(crate) mod resolve_checkout;
pub(crate) mod resolve_refund;
pub(crate) mod resume_checkouts;
pub(crate) mod resume_refunds;
pub(crate) mod rotate_webhook_secret;
pub(crate) mod sweep_orphans;
pub(crate) mod take_payment;
pub(crate) mod tell_buyers;

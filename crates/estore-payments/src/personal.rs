//! What buyers attach to a checkout may name people: such leaves are sealed before anything is written, travel sealed, into
//! stored answers and webhooks too, and are opened where they are shown.

use std::borrow::Cow;

use estore_kit::field::{Fields, PREFIX, Place, SealError};
use serde_json::Value;
use uuid::Uuid;

use crate::attention::StuckCheckout;
use crate::checkout::Checkout;
use crate::order::Order;
use crate::payment_method::{MethodDetails, PaymentMethod};
use crate::webhook::WebhookDelivery;

/// Where metadata is sealed for: its checkout's row. An order that is all of its checkout has a copy.
pub(crate) fn metadata_of(checkout: Uuid) -> Place<Uuid> {
    Place { table: "checkouts", column: "metadata", row: checkout }
}

/// Where the details of a payment method are sealed for.
pub(crate) fn details_of(sealed_for: Uuid) -> Place<Uuid> {
    Place { table: "payment_methods", column: "details", row: sealed_for }
}

/// Something that is shown with what a buyer attached.
pub(crate) trait Attached {
    /// Opens what is sealed in it.
    fn open(&mut self, fields: &Fields) -> Result<(), SealError>;
}

impl Attached for Order {
    fn open(&mut self, fields: &Fields) -> Result<(), SealError> {
        fields.open_leaves(&mut self.metadata, metadata_of(self.checkout_id))
    }
}

impl Attached for Checkout {
    fn open(&mut self, fields: &Fields) -> Result<(), SealError> {
        fields.open_leaves(&mut self.metadata, metadata_of(self.id))?;
        self.orders.open(fields)
    }
}

impl Attached for StuckCheckout {
    fn open(&mut self, fields: &Fields) -> Result<(), SealError> {
        self.checkout.open(fields)
    }
}

impl Attached for PaymentMethod {
    fn open(&mut self, fields: &Fields) -> Result<(), SealError> {
        let (Some(sealed_for), MethodDetails::Card(card)) = (self.sealed_for, &mut self.details) else { return Ok(()) };
        let mut holder = card.holder_name.take().map_or(Value::Null, Value::String);
        fields.open_leaves(&mut holder, details_of(sealed_for))?;
        card.holder_name = holder.as_str().map(str::to_owned);
        match &mut card.billing_address {
            Some(address) => fields.open_leaves(address, details_of(sealed_for)),
            None => Ok(()),
        }
    }
}

impl Attached for WebhookDelivery {
    fn open(&mut self, fields: &Fields) -> Result<(), SealError> {
        match checkout_of(&self.payload) {
            Some(checkout) => fields.open_leaves(&mut self.payload, metadata_of(checkout)),
            None => Ok(()),
        }
    }
}

impl<T: Attached> Attached for Vec<T> {
    fn open(&mut self, fields: &Fields) -> Result<(), SealError> {
        self.iter_mut().try_for_each(|one| one.open(fields))
    }
}

/// The checkout that a webhook tells of.
fn checkout_of(payload: &Value) -> Option<Uuid> {
    payload.pointer("/data/checkout_id")?.as_str()?.parse().ok()
}

/// A webhook's body as it goes out.
pub(crate) fn opened_body<'a>(fields: &Fields, body: &'a str) -> Result<Cow<'a, str>, SealError> {
    if !body.contains(PREFIX) {
        return Ok(Cow::Borrowed(body));
    }
    match serde_json::from_str(body).ok().as_ref().and_then(checkout_of) {
        Some(checkout) => fields.open_json(body, metadata_of(checkout)),
        None => Ok(Cow::Borrowed(body)),
    }
}

//! An order step by step, as far as a test wants it to come.

use std::time::Duration;

use estore_api::inventory::{HoldLine, HoldOutcome, HoldRequest, InventoryApi};
use serde_json::json;
use uuid::Uuid;

use crate::checkout::{Checkout, Draft, Operation, price};
use crate::gateway::{Gateway, Sale, SaleOutcome};
use crate::idempotency::request_hash;
use crate::operations::resume_checkouts::resume_checkouts;
use crate::operations::sweep_orphans::sweep_orphans;
use crate::payment_method::StoredMethod;
use crate::service::now;
use crate::store::checkouts::{OrderIds, Written};
use crate::store::keys::{Take, Taken};
use crate::tests::bench::{BUYER, Bench, Got, TEA};

/// Goes through the steps of `POST /v1/orders {TEA, 1}` by hand and stops where a test wants it to.
pub(super) struct Steps<'a> {
    pub(super) bench: &'a Bench,
    pub(super) id: Uuid,
    pub(super) card: i64,
}

impl Steps<'_> {
    pub(super) async fn begin(bench: &Bench) -> Steps<'_> {
        Steps { bench, id: Uuid::now_v7(), card: bench.card(BUYER, "4242424242424242").await }
    }

    /// The same over HTTP: the client's retry.
    pub(super) async fn retry(&self) -> Got {
        self.bench.order(BUYER, "k", TEA, 1, self.card).await
    }

    pub(super) async fn take(&self) -> StoredMethod {
        let body = json!({"product_id": TEA, "quantity": 1, "payment_method_id": self.card, "metadata": {}});
        // The hash of the body as the route understands it: its fields in their order.
        let text = format!(r#"{{"product_id":{TEA},"quantity":1,"payment_method_id":{},"metadata":{{}}}}"#, self.card);
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), body);
        let taken = self.bench.payments.shop.steps.take.submit(Take {
            user_id: BUYER,
            key: "k".into(),
            request_hash: request_hash("POST /v1/orders", &raw),
            resource_id: self.id,
            payment_method_id: Some(self.card as i32),
        });
        match taken.await.unwrap().unwrap() {
            Taken::Mine(Some(method)) => method,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn hold(&self) -> Vec<estore_api::inventory::HeldLine> {
        let lines = vec![HoldLine { product_id: TEA, quantity: 1 }];
        let held =
            self.bench.stock.hold(vec![HoldRequest { checkout_id: self.id, lines, server: None }]).await.unwrap();
        match held.into_iter().next() {
            Some(HoldOutcome::Held { lines }) => lines,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn write(&self, method: &StoredMethod) -> Option<(OrderIds, Checkout)> {
        let (lines, total_amount) = price(&self.hold().await).unwrap();
        let draft = Draft {
            id: self.id,
            user_id: BUYER,
            key: "k".into(),
            operation: Operation::Order,
            lines,
            total_amount,
            payment_method_id: self.card as i32,
            gateway_token: method.gateway_token.clone(),
            metadata: json!({}),
            created_at: now(),
            held: None,
        };
        let written = self.bench.payments.shop.steps.write.submit(draft.clone()).await.unwrap().unwrap();
        let Written::Orders(orders) = written else { return None };
        let checkout = draft.written(&orders, "USD");
        Some((orders, checkout))
    }

    pub(super) async fn charge(&self, method: &StoredMethod) -> SaleOutcome {
        let (token, currency) = (method.gateway_token.clone(), "USD".to_owned());
        let sale = Sale { key: self.id, token, amount: 250, currency };
        self.bench.gateway.sale(vec![sale]).await.remove(0)
    }

    pub(super) async fn resume(&self) {
        let everything = Some(now() + Duration::from_secs(5));
        while resume_checkouts(&self.bench.payments.shop, everything).await.unwrap() > 0 {}
        sweep_orphans(&self.bench.payments.shop, everything).await.unwrap();
        self.bench.relay().await;
    }
}

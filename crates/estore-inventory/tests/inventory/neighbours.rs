//! The internal routes answer what the trait answers.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use estore_api::inventory::{HoldOutcome, InventoryApi, InventoryClient, OpenHoldsQuery, RestockLine};
use estore_api::neighbour::Neighbour;
use estore_kit::edge::{EdgeLimits, edge, serve};
use estore_kit::service_auth::{ServiceDoor, ServiceSecret};
use estore_kit::service_client::ServiceClient;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::shop::{Shop, hold_request};

async fn client_of(shop: &Shop, secret: ServiceSecret, stop: CancellationToken) -> InventoryClient {
    let own = ServiceSecret::new(&[7; 32]).unwrap();
    let door = ServiceDoor { secret: own, audience: "inventory", callers: &["payments"] };
    let router = edge(shop.inventory.internal_router().layer(Extension(Arc::new(door))), &EdgeLimits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { serve(listener, router, EdgeLimits::default(), stop.cancelled()).await });
    let http = ServiceClient::new(Duration::from_secs(10), None).unwrap();
    InventoryClient(Neighbour::new(&url, "payments", "inventory", secret, http))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_in_another_process_holds_sells_releases_and_restocks() {
    let shop = Shop::open().await;
    let stop = CancellationToken::new();
    let client = client_of(&shop, ServiceSecret::new(&[7; 32]).unwrap(), stop.clone()).await;
    let product = shop.product("Spade", 1250, 10).await;
    let ids: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
    let holds = ids.iter().map(|id| hold_request(*id, &[(product, 3)])).collect();
    let outcomes = client.hold(holds).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, HoldOutcome::Held { .. })));
    let short = client.hold(vec![hold_request(Uuid::now_v7(), &[(product, 2)])]).await.unwrap();
    assert!(matches!(short[0], HoldOutcome::Refused { .. }));
    client.sell(vec![ids[0]]).await.unwrap();
    client.release(vec![ids[1]]).await.unwrap();
    let line = RestockLine { order_id: 1, checkout_id: ids[0], product_id: product, quantity: 3 };
    client.restock(vec![line]).await.unwrap();
    let open = client.open_holds(OpenHoldsQuery { older_than_seconds: 0, after: None, limit: 10 }).await.unwrap();
    assert_eq!(open.iter().map(|hold| hold.checkout_id).collect::<Vec<_>>(), [ids[2]]);
    assert_eq!(shop.quantity(product).await, 7);
    // As large as a batch gets: 256 checkouts of 200 lines.
    let mut lines = Vec::new();
    for n in 0..200 {
        lines.push((shop.product(&format!("Part {n}"), 1, 1_000).await, 1));
    }
    let holds = (0..256).map(|_| hold_request(Uuid::now_v7(), &lines)).collect();
    let outcomes = client.hold(holds).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, HoldOutcome::Held { lines } if lines.len() == 200)));
    shop.verify().await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_turned_away() {
    let shop = Shop::open().await;
    let stop = CancellationToken::new();
    let stranger = client_of(&shop, ServiceSecret::new(&[8; 32]).unwrap(), stop.clone()).await;
    let product = shop.product("Spade", 1250, 10).await;
    let error = stranger.hold(vec![hold_request(Uuid::now_v7(), &[(product, 1)])]).await.unwrap_err();
    assert!(error.cause.contains("401"), "{error}");
    assert_eq!(shop.quantity(product).await, 10);
    stop.cancel();
}

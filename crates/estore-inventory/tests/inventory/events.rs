//! A product whose stock falls to its level is told of: once a fall, by whatever movement, and never without one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use estore_api::events::{EventsApi, ServiceEvent};
use estore_api::inventory::InventoryApi;
use estore_api::neighbour::CallError;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::shop::{Shop, hold_request};

#[derive(Default)]
struct Ears(Mutex<Vec<ServiceEvent>>);

#[async_trait]
impl EventsApi for Ears {
    async fn publish(&self, events: Vec<ServiceEvent>) -> Result<(), CallError> {
        self.0.lock().unwrap().extend(events);
        Ok(())
    }
}

async fn told(shop: &Shop) -> Vec<Value> {
    let rows = shop.db.rows("SELECT data FROM event_outbox ORDER BY id", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn level(shop: &Shop, product: i32, level: i32) {
    let body = json!({"min_stock_level": level});
    shop.admin("PATCH", &format!("/v1/products/{product}"), body).await.expect(200);
}

#[tokio::test]
async fn stock_that_falls_to_its_level_is_told_once_a_fall() {
    let shop = Shop::open().await;
    let (tea, cup) = (shop.product("Tea", 250, 10).await, shop.product("Cup", 900, 5).await);
    level(&shop, tea, 4).await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    // 10 to 5: above. Two holds in one batch, 5 to 4 and on to 2: one fall.
    shop.hold(Uuid::now_v7(), &[(tea, 5)]).await;
    assert_eq!(told(&shop).await.len(), 0);
    let batch = vec![hold_request(first, &[(tea, 1)]), hold_request(second, &[(tea, 2), (cup, 1)])];
    shop.inventory.hold(batch).await.unwrap();
    let fallen = json!({"id": tea, "name": "Tea", "quantity": 2, "min_stock_level": 4});
    // One batch or two, the fall is one.
    let events = told(&shop).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["id"], fallen["id"]);
    // Below the level already: nothing.
    shop.hold(Uuid::now_v7(), &[(tea, 1)]).await;
    assert_eq!(told(&shop).await.len(), 1);
    // A delivery lifts it, a count brings it down again.
    let stock = format!("/v1/products/{tea}/stock");
    shop.admin("POST", &stock, json!({"quantity": 50, "reason": "delivery"})).await.expect(200);
    shop.admin("POST", &stock, json!({"quantity": 4, "reason": "count"})).await.expect(200);
    let events = told(&shop).await;
    assert_eq!((events.len(), &events[1]["quantity"]), (2, &json!(4)));
    // Sold out is told of a product without a level too; a refused hold is not.
    shop.hold(Uuid::now_v7(), &[(cup, 5)]).await;
    assert_eq!(told(&shop).await.len(), 2);
    shop.hold(Uuid::now_v7(), &[(cup, 4)]).await;
    assert_eq!(told(&shop).await.len(), 3);
    // An import tells of it like any movement.
    for quantity in [50, 3] {
        let csv = format!("name,price,quantity,min_stock_level\nPot,1250,{quantity},4\n");
        shop.import(csv).await.expect(200);
        assert_eq!(told(&shop).await.len(), if quantity == 50 { 3 } else { 4 });
    }
    let events = told(&shop).await;
    assert_eq!((events.len(), &events[3]["quantity"]), (4, &json!(3)), "{events:?}");
    shop.verify().await;
}

#[tokio::test]
async fn what_was_told_leaves_the_outbox() {
    let shop = Shop::open().await;
    let tea = shop.product("Tea", 250, 1).await;
    shop.hold(Uuid::now_v7(), &[(tea, 1)]).await;
    let (ears, stop) = (Arc::new(Ears::default()), CancellationToken::new());
    let (inventory, listening, stopping) = (shop.inventory.clone(), Arc::clone(&ears), stop.clone());
    let jobs = tokio::spawn(async move { inventory.run_jobs(listening, stopping).await });
    for _ in 0..500 {
        if !ears.0.lock().unwrap().is_empty() && told(&shop).await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.cancel();
    jobs.await.unwrap();
    let heard = ears.0.lock().unwrap().clone();
    assert_eq!((heard.len(), heard[0].kind.as_str()), (1, "product.low_stock"));
    assert_eq!(told(&shop).await.len(), 0);
}

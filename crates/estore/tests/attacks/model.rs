//! A random walk through a shop beside a simple model of it: after every step both must be in the same state.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use estore_ops::roles::Service;
use estore_testkit::client::{Answer, CARD_APPROVED, CARD_DECLINED, Client};
use estore_testkit::shop::{Processes, Shop};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};

use crate::buyers::{checkout_of, insist, key, stock_becomes, verify_clean};
use crate::{amount, books, own_shop};

/// An order as the model has it.
#[derive(Debug, Clone)]
struct Order {
    product: i64,
    quantity: i64,
    total: i64,
    refunded: i64,
    status: &'static str,
}

/// The shop, in memory.
#[derive(Debug, Default)]
struct Model {
    /// Price and stock by product.
    products: BTreeMap<i64, (i64, i64)>,
    orders: BTreeMap<i64, Order>,
    /// Every finished request: who, where, key, body, its answer.
    answered: Vec<(bool, String, String, Value, Answer)>,
    charges: i64,
    charged: i64,
}

impl Model {
    /// What a checkout of these lines must be answered: 201, 409, or 402 from the card.
    fn place(&self, lines: &BTreeMap<i64, i64>, card: Card) -> u16 {
        let short = lines.iter().any(|(product, quantity)| self.products[product].1 < *quantity);
        match card {
            _ if short => 409,
            // A charge that was not made is undone, and its key tries anew.
            Card::Approved | Card::Silent => 201,
            Card::Declined => 402,
        }
    }

    fn placed(&mut self, answer: &Answer) {
        let orders = answer.json["orders"].as_array().expect("orders");
        let number = |order: &Value, name: &str| order[name].as_i64().expect("a number");
        self.charges += 1;
        for order in orders {
            let (product, quantity) = (number(order, "product_id"), number(order, "quantity"));
            let (price, stock) = self.products.get_mut(&product).expect("a product of ours");
            *stock -= quantity;
            let total = *price * quantity;
            assert_eq!(number(order, "total_amount"), total);
            self.charged += total;
            let placed = Order { product, quantity, total, refunded: 0, status: "paid" };
            assert!(self.orders.insert(number(order, "id"), placed).is_none(), "an order id came twice");
        }
    }

    fn cancel(&mut self, id: i64) -> u16 {
        let order = self.orders.get_mut(&id).expect("an order of ours");
        match order.status {
            "paid" | "processing" => {
                order.status = "cancelled";
                order.refunded = order.total;
                self.products.get_mut(&order.product).expect("its product").1 += order.quantity;
                200
            }
            "cancelled" => 200,
            _ => 409,
        }
    }

    fn refund(&mut self, id: i64, cents: i64) -> u16 {
        let order = self.orders.get_mut(&id).expect("an order of ours");
        if ["cancelled", "refunded"].contains(&order.status) || order.refunded + cents > order.total {
            return 409;
        }
        order.refunded += cents;
        order.status = if order.refunded == order.total { "refunded" } else { "partially_refunded" };
        201
    }

    fn step(&mut self, id: i64, next: &'static str) -> u16 {
        let order = self.orders.get_mut(&id).expect("an order of ours");
        if ![("paid", "processing"), ("processing", "shipped"), ("shipped", "delivered")]
            .contains(&(order.status, next))
        {
            return 409;
        }
        order.status = next;
        200
    }
}

#[derive(Debug, Clone, Copy)]
enum Card {
    Approved,
    Declined,
    Silent,
}

struct Walk {
    shop: Shop,
    dice: StdRng,
    model: Model,
    admin: Client,
    buyer: Client,
    cards: [i64; 3],
}

impl Walk {
    async fn begin(seed: u64) -> Self {
        let shop = own_shop(Processes::One).await;
        let (admin, buyer) = tokio::join!(Client::admin(&shop), Client::customer(&shop));
        let silent = "4000 0000 0000 0119";
        let cards = [buyer.card(CARD_APPROVED).await, buyer.card(CARD_DECLINED).await, buyer.card(silent).await];
        let mut walk = Self { shop, dice: StdRng::seed_from_u64(seed), model: Model::default(), admin, buyer, cards };
        for _ in 0..5 {
            let (price, stock) = (walk.dice.random_range(1..2_000), walk.dice.random_range(0..30));
            let product = walk.admin.product(price, stock).await;
            walk.model.products.insert(product, (price, stock));
        }
        walk
    }

    /// Sends a request, sometimes with a kill in the middle, and insists on its answer.
    async fn request(&mut self, by_staff: bool, path: &str, body: Value) -> Answer {
        let who = if by_staff { self.admin.clone() } else { self.buyer.clone() };
        let key = key();
        if self.dice.random_bool(0.15) {
            let pause = Duration::from_micros(self.dice.random_range(0..30_000));
            let sent = {
                let (who, path, key, body) = (who.clone(), path.to_owned(), key.clone(), body.clone());
                tokio::spawn(async move {
                    let headers = [("idempotency-key", key.as_str())];
                    drop(who.try_send(Method::POST, &path, Some(&body), &headers).await);
                })
            };
            tokio::time::sleep(pause).await;
            println!("  killed {} µs after the request was sent", pause.as_micros());
            self.shop.restart(0, &[]).await;
            sent.await.expect("the first request");
        }
        let answer = insist(&who, path, &key, &body).await;
        self.model.answered.push((by_staff, path.to_owned(), key, body, answer.clone()));
        answer
    }

    async fn step(&mut self) {
        let known: Vec<i64> = self.model.orders.keys().copied().collect();
        let order = (!known.is_empty()).then(|| known[self.dice.random_range(0..known.len())]);
        match (self.dice.random_range(0..100), order) {
            (0..45, _) | (_, None) => self.place().await,
            (45..60, Some(order)) => self.cancel(order).await,
            (60..75, Some(order)) => self.refund(order).await,
            (75..88, Some(order)) => self.move_along(order).await,
            (88..94, _) => self.restock().await,
            _ => self.repeat().await,
        }
    }

    async fn place(&mut self) {
        let products: Vec<i64> = self.model.products.keys().copied().collect();
        let mut lines = BTreeMap::new();
        for _ in 0..self.dice.random_range(1..4) {
            lines.insert(products[self.dice.random_range(0..products.len())], self.dice.random_range(1..6));
        }
        let nth = [0, 0, 0, 0, 0, 0, 1, 2][self.dice.random_range(0..8)];
        let card = [Card::Approved, Card::Declined, Card::Silent][nth];
        let allowed = self.model.place(&lines, card);
        let pairs: Vec<(i64, i64)> = lines.into_iter().collect();
        println!("place {pairs:?} by {card:?}, expecting {allowed:?}");
        let answer = self.request(false, "/v1/checkouts", checkout_of(&pairs, self.cards[nth])).await;
        assert_eq!(answer.status, allowed, "{}", answer.text);
        if answer.status == 201 {
            self.model.placed(&answer);
        }
    }

    async fn cancel(&mut self, order: i64) {
        let expected = self.model.cancel(order);
        println!("cancel {order}, expecting {expected}");
        let answer = self.request(false, &format!("/v1/orders/{order}/cancel"), json!({})).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }

    async fn refund(&mut self, order: i64) {
        let total = self.model.orders[&order].total;
        let cents = self.dice.random_range(1..=total + total / 4 + 1);
        let expected = self.model.refund(order, cents);
        println!("refund {cents} of {order}, expecting {expected}");
        let body = json!({ "amount": cents, "reason": "a random walk" });
        let answer = self.request(true, &format!("/v1/orders/{order}/refunds"), body).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }

    async fn move_along(&mut self, order: i64) {
        let next = ["processing", "shipped", "delivered"][self.dice.random_range(0..3)];
        let expected = self.model.step(order, next);
        println!("move {order} to {next}, expecting {expected}");
        let path = format!("/v1/orders/{order}/status");
        let answer = self.admin.send(Method::PUT, &path, Some(&json!({ "status": next })), &[]).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }

    async fn restock(&mut self) {
        let products: Vec<i64> = self.model.products.keys().copied().collect();
        let product = products[self.dice.random_range(0..products.len())];
        let delta = self.dice.random_range(1..20);
        println!("put {delta} more of {product} on the shelf");
        let body = json!({ "delta": delta, "reason": "a random walk" });
        let answer = self.admin.post(&format!("/v1/products/{product}/stock"), &body).await;
        assert!([200, 201].contains(&answer.status), "{}", answer.text);
        self.model.products.get_mut(&product).expect("a product of ours").1 += delta;
    }

    async fn repeat(&mut self) {
        let keyed: Vec<_> = self.model.answered.iter().filter(|one| !one.1.ends_with("/cancel")).cloned().collect();
        if keyed.is_empty() {
            return;
        }
        let (by_staff, path, key, body, first) = &keyed[self.dice.random_range(0..keyed.len())];
        println!("repeat {path} under {key}, expecting {}", first.status);
        let who = if *by_staff { &self.admin } else { &self.buyer };
        let again = insist(who, path, key, body).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
    }

    /// The shop and the model side by side; what follows an answer may take a moment.
    async fn compare(&self) {
        for (product, (_, left)) in &self.model.products {
            stock_becomes(&self.admin, *product, *left).await;
        }
        for (id, order) in &self.model.orders {
            let begun = Instant::now();
            loop {
                let seen = self.buyer.get(&format!("/v1/orders/{id}")).await.expect(200).json;
                if seen["status"] == order.status && seen["refunded_amount"] == order.refunded {
                    break;
                }
                assert!(begun.elapsed() < Duration::from_secs(30), "the shop has {seen}, the model {order:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// What no route shows.
    async fn compare_books(&self) {
        verify_clean(&self.shop, Duration::from_secs(30)).await;
        let number = async |sql| books::number(&self.shop, Service::Payments, sql).await;
        let (charges, charged) = (
            number("SELECT count(*) FROM sandbox_sales WHERE state = 'captured'").await,
            number("SELECT coalesce(sum(amount), 0)::int8 FROM sandbox_sales WHERE state = 'captured'").await,
        );
        assert_eq!((charges, charged), (self.model.charges, self.model.charged));
        let refunded: i64 = self.model.orders.values().map(|order| order.refunded).sum();
        assert_eq!(number("SELECT coalesce(sum(amount), 0)::int8 FROM sandbox_refunds").await, refunded);
        let orders = number("SELECT count(*) FROM orders WHERE status NOT IN ('pending', 'failed')").await;
        assert_eq!(orders, i64::try_from(self.model.orders.len()).expect("some orders"));
    }
}

#[tokio::test]
async fn a_random_walk_ends_where_the_model_does() {
    let seed = amount("ESTORE_TEST_SEED", rand::random::<u64>());
    println!("seed {seed}; ESTORE_TEST_SEED={seed} walks the same way");
    let mut walk = Walk::begin(seed).await;
    for n in 0..amount("ESTORE_TEST_STEPS", 60_u32) {
        walk.step().await;
        if n % 10 == 9 {
            walk.compare().await;
        }
    }
    walk.compare().await;
    walk.compare_books().await;
}

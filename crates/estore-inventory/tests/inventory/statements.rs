//! How many statements each route costs: a number that does not grow with the page or with the lines.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use estore_api::inventory::{InventoryApi, RestockLine};
use estore_kit::db::{Db, Logins};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use uuid::Uuid;

use crate::shop::{Shop, hold_request};

/// Executions that went to the database since the last look.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Counter {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// A way to the database that counts what is executed on it: bound statements and plain ones, `BEGIN` and `COMMIT` too.
async fn counted(config: Config, counter: &Counter) -> Config {
    let Some(Host::Unix(folder)) = config.get_hosts().first().cloned() else { panic!("the test server is local") };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let socket = folder.join(format!(".s.PGSQL.{port}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counting = counter.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, socket.clone(), counting.clone()));
        }
    });
    let mut through = Config::new();
    through.host("127.0.0.1").port(address.port()).ssl_mode(SslMode::Disable);
    through.user(config.get_user().unwrap()).dbname(config.get_dbname().unwrap());
    if let Some(password) = config.get_password() {
        through.password(password);
    }
    through
}

async fn pass(client: TcpStream, socket: PathBuf, counter: Counter) {
    let server = UnixStream::connect(socket).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut is_started = false;
    loop {
        let mut head = Vec::new();
        if is_started {
            let Ok(kind) = from_client.read_u8().await else { return };
            if kind == b'E' || kind == b'Q' {
                counter.0.fetch_add(1, Ordering::SeqCst);
            }
            head.push(kind);
        }
        let Ok(length) = from_client.read_u32().await else { return };
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        from_client.read_exact(&mut body).await.unwrap();
        head.extend_from_slice(&length.to_be_bytes());
        head.extend_from_slice(&body);
        to_server.write_all(&head).await.unwrap();
        is_started = true;
    }
}

async fn counted_shop() -> (Shop, Counter) {
    let shop = Shop::open().await;
    let (Logins { writer, app }, counter) = (shop.database.logins(), Counter::default());
    let logins = Logins { writer: counted(writer, &counter).await, app: counted(app, &counter).await };
    let shop = shop.on(Db::new(logins, 4).unwrap()).await;
    (shop, counter)
}

#[tokio::test]
async fn reads_and_edits_cost_a_few_statements() {
    let (shop, counter) = counted_shop().await;
    let category = shop.category("Garden", None).await;
    let rows: String = (0..120).map(|n| format!("S{n},Lamp {n},{n}.00,1,Garden\n")).collect();
    shop.import(format!("sku,name,price,quantity,category\n{rows}")).await.expect(200);
    let product = shop.product("Spade", 1, 500).await;
    let one = format!("/v1/products/{product}");
    let (stock, movements) = (format!("{one}/stock"), format!("{one}/stock-movements?limit=100"));
    let by_category = format!("/v1/products?category_id={category}&sort=price&limit=100");
    let costs = [
        ("GET", "/v1/products?limit=1", Value::Null, 1),
        ("GET", "/v1/products?limit=100", Value::Null, 1),
        ("GET", by_category.as_str(), Value::Null, 1),
        ("GET", "/v1/products?q=lamp&limit=100", Value::Null, 2),
        // What the words mean is known by now.
        ("GET", "/v1/products?q=lamp&sort=price&facets=category", Value::Null, 2),
        ("GET", "/v1/products?q=lammp&limit=100", Value::Null, 3),
        ("GET", "/v1/products/low-stock?limit=100", Value::Null, 1),
        ("GET", "/v1/categories?limit=100", Value::Null, 1),
        ("GET", one.as_str(), Value::Null, 1),
        // Its bracket and for whom it is: they travel with it.
        ("GET", movements.as_str(), Value::Null, 4),
        // The same of an edit, for the audit log.
        ("PATCH", one.as_str(), json!({"price": 2}), 4),
        ("POST", stock.as_str(), json!({"delta": 1, "reason": "delivery"}), 1),
        ("POST", "/v1/products", json!({"name": "Hoe", "price": 1, "quantity": 1}), 4),
        ("POST", "/v1/categories", json!({"name": "Yard"}), 4),
        ("DELETE", one.as_str(), Value::Null, 4),
    ];
    for (method, path, body, cost) in costs {
        counter.take();
        let answer = shop.admin(method, path, body).await;
        assert!(answer.status.is_success(), "{}", answer.text);
        assert_eq!(counter.take(), cost, "{method} {path}");
    }
}

#[tokio::test]
async fn a_batch_of_holds_costs_the_same_whatever_its_size() {
    let (shop, counter) = counted_shop().await;
    let rows: String = (0..200).map(|n| format!("S{n},Lamp {n},{n}.00,100000\n")).collect();
    shop.import(format!("sku,name,price,quantity\n{rows}")).await.expect(200);
    let first = shop.get("/v1/products?sort=newest&limit=1").await.expect(200)["data"][0]["id"].as_i64().unwrap();
    let ids: Vec<i32> = (0..200).map(|n| i32::try_from(first).unwrap() - n).collect();
    let mut costs = Vec::new();
    for (checkouts, lines) in [(1, 1), (1, 200), (100, 1), (40, 200)] {
        let lines: Vec<(i32, i32)> = ids.iter().take(lines).map(|id| (*id, 1)).collect();
        let holds: Vec<_> = (0..checkouts).map(|_| hold_request(Uuid::now_v7(), &lines)).collect();
        let checkouts: Vec<Uuid> = holds.iter().map(|hold| hold.checkout_id).collect();
        counter.take();
        shop.inventory.hold(holds).await.unwrap();
        let held = counter.take();
        shop.inventory.sell(checkouts[..checkouts.len().div_ceil(2)].to_vec()).await.unwrap();
        let sold = counter.take();
        shop.inventory.release(checkouts.clone()).await.unwrap();
        let released = counter.take();
        let back = checkouts.iter().zip(1..).map(|(checkout_id, order_id)| RestockLine {
            order_id,
            checkout_id: *checkout_id,
            product_id: ids[0],
            quantity: 1,
        });
        shop.inventory.restock(back.collect()).await.unwrap();
        costs.push([held, sold, released, counter.take()]);
    }
    // BEGIN and COMMIT are among them.
    assert_eq!(costs, [[5, 1, 5, 5]; 4]);
}

//! Who may do what over HTTP: every route of the description by everybody who may knock at it.

mod forged;
mod table;

use std::collections::BTreeSet;

use estore_testkit::client::{CARD_APPROVED, Client, UNVERIFIED_MAY_LOG_IN};
use estore_testkit::shop::{Address, Processes, Shop, USERS};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use self::table::{ROUTES, Row, rows};
use crate::own_shop;

crate::in_one_and_three!(what_is_between_services_is_for_nobody_else);

#[tokio::test]
async fn everybody_may_do_what_the_table_says_in_one_process() {
    everybody_may_do_what_the_table_says(&open_shop(Processes::One, 0).await).await;
}

#[tokio::test]
async fn everybody_may_do_what_the_table_says_in_three_processes() {
    everybody_may_do_what_the_table_says(&open_shop(Processes::Three, USERS).await).await;
}

/// A shop whose UserService, in this process, lets those in who have not proved their address.
async fn open_shop(processes: Processes, users: usize) -> Shop {
    let mut shop = own_shop(processes).await;
    shop.restart(users, &[UNVERIFIED_MAY_LOG_IN]).await;
    shop
}

/// Those who knock, in the order in which they do: the owner of what is asked for comes last.
struct Cast {
    shop: Address,
    callers: Vec<(&'static str, Vec<(String, Client)>)>,
    /// What stands for the names in braces.
    names: Vec<(&'static str, String)>,
    /// What stands for them where somebody has their own: what goes when they ask for it.
    spares: Vec<(&'static str, &'static str, String)>,
}

/// Those who may remove what is in the catalogue.
const REMOVERS: [&str; 4] = ["catalogue", "admin", "key", "key of catalogue"];

impl Cast {
    async fn assemble(shop: &Shop) -> Self {
        let (admin, customer, other, unverified) =
            tokio::join!(Client::admin(shop), Client::customer(shop), Client::customer(shop), Client::unverified(shop));
        let mut employees = Vec::new();
        for role in ["catalogue", "orders", "refunds", "users", "operations", "staff"] {
            employees.push((role, employed(&admin, Client::customer(shop).await, role).await));
        }
        // One of their own: it ends sessions, and others use the shop's.
        let admin = employed(&admin, Client::customer(shop).await, "admin").await;
        let id = async |client: &Client| client.get("/v1/users/me").await.expect(200).id().to_string();
        let (product, card) = (admin.product(500, 9).await, customer.card(CARD_APPROVED).await);
        let mut spares = Vec::new();
        for who in REMOVERS {
            spares.push((who, "{spare_category}", category(&admin).await));
            spares.push((who, "{spare_product}", admin.product(500, 9).await.to_string()));
        }
        let order = customer.order(&Uuid::now_v7().to_string(), product, 1, card).await.expect(201);
        let checkout = order.json["checkout_id"].as_str().unwrap().to_owned();
        let names = vec![
            ("{user}", id(&customer).await),
            ("{product}", product.to_string()),
            ("{card}", card.to_string()),
            ("{category}", category(&admin).await),
            ("{order}", order.id().to_string()),
            ("{checkout}", checkout),
            ("{nothing}", Uuid::nil().to_string()),
            ("{spare_category}", "1".to_owned()),
            ("{spare_product}", product.to_string()),
        ];
        let all = json!(["catalogue", "orders", "refunds", "users", "operations"]);
        let keys = [
            ("key", keyed(&admin, &all).await),
            ("key of catalogue", keyed(&admin, &json!(["catalogue"])).await),
            ("key of operations", keyed(&admin, &json!(["operations"])).await),
        ];
        let as_one = |client: Client| vec![(String::new(), client)];
        let forged = forged::tokens(shop, &customer, &id(&admin).await).await.into_iter();
        let forged = forged.chain(forged::service_tokens(shop)).map(|(what, token)| {
            let mut forger = customer.clone();
            forger.token = Some(token);
            (what.to_owned(), forger)
        });
        let mut callers = vec![
            ("nobody", as_one(Client::anonymous(shop))),
            ("forged", forged.collect()),
            ("unverified", as_one(unverified)),
            ("other", as_one(other)),
        ];
        callers
            .extend(employees.into_iter().chain([("admin", admin)]).chain(keys).map(|(who, one)| (who, as_one(one))));
        callers.push(("owner", as_one(customer)));
        Self { shop: shop.address.clone(), callers, names, spares }
    }

    fn named(&self, who: &str, text: &str) -> String {
        let own = self.spares.iter().filter(|(whose, ..)| *whose == who).map(|(_, name, value)| (name, value));
        let all = own.chain(self.names.iter().map(|(name, value)| (name, value)));
        all.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// What a row's request answers, by caller.
    async fn knock(&self, row: &Row) -> Vec<(&'static str, String, u16)> {
        let mut answers = Vec::new();
        for (who, clients) in &self.callers {
            let (path, body) = (self.named(who, &row.path), self.named(who, row.body));
            let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_str(&body).expect(row.body));
            for (what, client) in clients {
                let key = Uuid::now_v7().to_string();
                let method = Method::from_bytes(row.method.as_bytes()).unwrap();
                let answer = client.send(method, &path, body.as_ref(), &[("idempotency-key", &key)]).await;
                if answer.status == 401 {
                    assert_eq!(answer.headers["www-authenticate"], "Bearer", "{} {path}", row.method);
                }
                answers.push((*who, what.clone(), answer.status));
            }
        }
        answers
    }
}

/// Makes a customer one of the staff.
async fn employed(admin: &Client, client: Client, role: &str) -> Client {
    let path = format!("/v1/users/{}", client.get("/v1/users/me").await.expect(200).id());
    let _made = admin.send(Method::PATCH, &path, Some(&json!({ "roles": [role] })), &[]).await.expect(200);
    let email = client.email.clone();
    client.logged_in(&email).await
}

/// A category of its own; its id.
async fn category(admin: &Client) -> String {
    let body = json!({ "name": format!("Shelf {}", Uuid::now_v7()) });
    admin.post("/v1/categories", &body).await.expect(201).id().to_string()
}

/// A program with an API key of these scopes.
async fn keyed(admin: &Client, scopes: &Value) -> Client {
    let made = admin.post("/v1/api-keys", &json!({ "name": "a program", "scopes": scopes })).await.expect(201);
    let mut program = admin.clone();
    program.token = made.json["secret"].as_str().map(str::to_owned);
    program
}

/// Every route of every service's description.
async fn described(shop: &Address) -> BTreeSet<String> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut routes = BTreeSet::new();
    for base in [&shop.users, &shop.inventory, &shop.payments] {
        let api: Value = http.get(format!("{base}/openapi.json")).send().await.unwrap().json().await.unwrap();
        for (path, item) in api["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().keys().filter(|key| key.as_str() != "parameters");
            routes.extend(methods.map(|method| format!("{} {path}", method.to_ascii_uppercase())));
        }
    }
    routes
}

async fn everybody_may_do_what_the_table_says(shop: &Shop) {
    let cast = Cast::assemble(shop).await;
    let rows = rows();
    let known: BTreeSet<String> = rows.iter().map(|row| format!("{} {}", row.method, row.route)).collect();
    let missing: Vec<_> = described(&cast.shop).await.difference(&known).cloned().collect();
    assert!(missing.is_empty(), "these routes have no row in tests/e2e/authorisation/table.rs: {missing:#?}");
    let gone: Vec<_> = known.difference(&described(&cast.shop).await).cloned().collect();
    assert!(gone.is_empty(), "these rows have no route: {gone:#?}");
    let mut wrong = Vec::new();
    for row in &rows {
        for (who, what, status) in cast.knock(row).await {
            let expected = row.expected(who);
            if status != expected {
                wrong.push(format!("{} {}: {who} {what} is answered {status}, not {expected}", row.method, row.route));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\nin\n{ROUTES}", wrong.join("\n"));
}

/// The routes of services for each other: not even an administrator is let in, nor a service that is no caller there.
async fn what_is_between_services_is_for_nobody_else(shop: &Shop) {
    use estore_api::{customers, events, inventory::routes, users};
    let Address { users: accounts, inventory, payments, .. } = &shop.address;
    let doors = [
        (accounts, users::NOTICES_ROUTE),
        (accounts, users::ENDED_SESSIONS_ROUTE),
        (accounts, users::API_KEY_ROUTE),
        (inventory, routes::HOLD),
        (inventory, routes::RELEASE),
        (inventory, routes::SELL),
        (inventory, routes::RESTOCK),
        (inventory, routes::OPEN_HOLDS),
        (payments, events::ROUTE),
        (payments, customers::PURCHASES_ROUTE),
    ];
    let admin = Client::admin(shop).await;
    let id = admin.get("/v1/users/me").await.expect(200).id().to_string();
    let mut tokens: Vec<(&str, Option<String>)> = vec![("nobody", None), ("an administrator", admin.token.clone())];
    tokens.extend(forged::tokens(shop, &admin, &id).await.into_iter().map(|(what, token)| (what, Some(token))));
    // In one process there are no such routes at all.
    let refused = if shop.processes == Processes::One { 404 } else { 401 };
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for (base, path) in doors {
        for (who, token) in &tokens {
            let mut request = http.post(format!("{base}{path}")).json(&json!({}));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            assert_eq!(request.send().await.unwrap().status(), refused, "{path} by {who}");
        }
    }
}

//! What buyers attach to a checkout is stored sealed and shown to those who may see it; an order without it costs nothing.

use serde_json::{Value, json};

use super::bench::{ADMIN, BUYER, Bench, CUP, Got, OTHER, STAFF, TEA};
use super::receiver::{Manners, Receiver};
use super::webhooks::{Jobs, deliveries_once, endpoint};

/// What nobody may find in a copy of the database.
const PLANTED: [&str; 5] = ["Ada Lovelace", "ada@example.com", "12 Saint James Square", "SW1Y 4LB", "+44 20 7946"];

fn attached() -> Value {
    json!({
        "gift": true, "campaign": "autumn", "customer_name": PLANTED[0], "contactEmail": PLANTED[1],
        "shipping": {"address": {"line": PLANTED[2], "zip": PLANTED[3]}, "speed": "slow", "phones": [PLANTED[4]]},
    })
}

/// Every row of every table as text, bytes as the text that they are.
async fn everything(bench: &Bench) -> String {
    let tables = "SELECT c.oid::regclass::text FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace";
    let mut all = String::new();
    for table in bench.db.rows(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        let readable = "SELECT has_table_privilege($1, 'SELECT')";
        if !bench.db.row(readable, &[&table]).await.unwrap().unwrap().get::<_, bool>(0) {
            continue;
        }
        for row in bench.db.rows(&format!("SELECT t::text FROM {table} t"), &[]).await.unwrap() {
            all.push_str(row.get::<_, &str>(0));
        }
    }
    let bytes = "SELECT encode(answer_body, 'escape') FROM idempotency_keys WHERE answer_body IS NOT NULL";
    bench.db.rows(bytes, &[]).await.unwrap().iter().for_each(|row| all.push_str(row.get(0)));
    all
}

async fn buy(bench: &Bench, key: &str) -> (Got, Got) {
    let card = bench.card(BUYER, "4242424242424242").await;
    let order = json!({"product_id": TEA, "quantity": 1, "payment_method_id": card, "metadata": attached()});
    let lines = json!([{"product_id": TEA, "quantity": 1}, {"product_id": CUP, "quantity": 2}]);
    let checkout = json!({"lines": lines, "payment_method_id": card, "metadata": attached()});
    let order = bench.post(BUYER, "/v1/orders", key, order).await.expect(201);
    (order, bench.post(BUYER, "/v1/checkouts", &format!("{key}-all"), checkout).await.expect(201))
}

#[tokio::test]
async fn what_buyers_attach_is_stored_sealed_and_shown_to_those_entitled() {
    let bench = super::webhooks::bench(&[1]).await;
    let receiver = Receiver::start(Manners::Takes).await;
    let hook = endpoint(&bench, &receiver.url(), &["order.paid"]).await;
    let jobs = Jobs::start(&bench);
    let (order, checkout) = buy(&bench, "k").await;
    assert_eq!((&order.json["metadata"], &checkout.json["metadata"]), (&attached(), &attached()));
    let (again, all_again) = buy(&bench, "k").await;
    assert!(again.is_replay() && all_again.is_replay());
    assert_eq!((&again.bytes, &all_again.bytes), (&order.bytes, &checkout.bytes), "byte for byte");

    let paths = [
        format!("/v1/orders/{}", order.id()),
        format!("/v1/checkouts/{}", order.json["checkout_id"].as_str().unwrap()),
        format!("/v1/checkouts/{}", checkout.json["id"].as_str().unwrap()),
    ];
    for (who, path) in [BUYER, STAFF, ADMIN].iter().flat_map(|who| paths.iter().map(move |path| (*who, path))) {
        assert_eq!(bench.get(who, path).await.expect(200).json["metadata"], attached(), "{who} {path}");
    }
    for path in &paths {
        bench.get(OTHER, path).await.expect(404);
    }
    let listed = bench.get(BUYER, "/v1/orders").await.expect(200);
    let of =
        |got: &Got| got.json["data"].as_array().unwrap().iter().map(|one| one["metadata"].clone()).collect::<Vec<_>>();
    assert!(of(&listed).contains(&attached()));
    // The tag is that of what is shown, so a change that is based on it goes through.
    let tag = bench.get(STAFF, &paths[0]).await.headers["etag"].clone();
    let mut change =
        bench.request(STAFF, "PUT", &format!("{}/status", paths[0]), None, &json!({"status": "processing"}));
    change.headers_mut().insert("if-match", tag);
    assert_eq!(bench.send(change).await.expect(200).json["metadata"], attached());
    let cancelled = bench.send(bench.request(STAFF, "POST", &format!("{}/cancel", paths[0]), None, &json!({}))).await;
    assert_eq!(cancelled.expect(200).json["metadata"], attached());

    // Receivers hear it, and whoever looks at what they hear sees it.
    let messages = receiver.wait_for(3).await;
    let heard = messages.iter().find(|message| message.order() == order.id()).unwrap();
    assert_eq!(heard.json["data"]["metadata"], attached());
    assert!(heard.is_signed_with(hook.json["secret"].as_str().unwrap()));
    let shown = deliveries_once(&bench, &hook, "delivered", 3).await;
    assert!(shown.iter().any(|delivery| delivery["payload"]["data"]["metadata"] == attached()));
    jobs.stop().await;

    let all = everything(&bench).await;
    assert!(all.contains("autumn") && all.contains("sealed:1:"), "it is the right database");
    for planted in PLANTED {
        assert!(!all.contains(planted), "{planted} is stored in plain");
    }
    bench.verify().await;
}

#[tokio::test]
async fn whose_a_card_is_is_stored_sealed_and_shown_to_its_owner() {
    let bench = Bench::start().await;
    let address = json!({"line1": PLANTED[2], "postal_code": PLANTED[3], "country": "GB"});
    let mut details = json!({"card_number": "4242424242424242", "expiry_month": 12, "expiry_year": 2040, "cvc": "123",
        "holder_name": PLANTED[0], "billing_address": address});
    let add = async |details: &Value| {
        let body = json!({"payment_type": "card", "details": details});
        bench.send(bench.request(BUYER, "POST", "/v1/payment-methods", None, &body)).await
    };
    let added = add(&details).await.expect(201);
    let whose = |got: &Value| (got["details"]["holder_name"].clone(), got["details"]["billing_address"].clone());
    let expected = (json!(PLANTED[0]), address.clone());
    assert_eq!((whose(&added.json), &added.json["details"]["last4"]), (expected.clone(), &json!("4242")));
    assert!(added.json.get("sealed_for").is_none());
    let path = format!("/v1/payment-methods/{}", added.id());
    assert_eq!(whose(&bench.get(BUYER, &path).await.expect(200).json), expected);
    assert_eq!(whose(&bench.get(BUYER, "/v1/payment-methods").await.expect(200).json["data"][0]), expected);
    bench.get(OTHER, &path).await.expect(404);
    bench.order(BUYER, "k", TEA, 1, added.id()).await.expect(201);
    let all = everything(&bench).await;
    for planted in PLANTED {
        assert!(!all.contains(planted), "{planted} is stored in plain");
    }
    // The database itself refuses it in plain, and another row's does not open.
    let plain = "UPDATE payment_methods SET details = jsonb_set(details, '{holder_name}', '\"Ada\"')";
    assert!(bench.db.execute(plain, &[]).await.unwrap_err().is_constraint("payment_methods_details_sealed"));
    let moved = "UPDATE payment_methods SET details_sealed_for = gen_random_uuid()";
    bench.db.execute(moved, &[]).await.unwrap();
    assert_eq!(bench.get(BUYER, &path).await.expect(500).code(), "sealed_field_unreadable");
    // The same card again says anew whose it is; a number in the wrong place is refused and not repeated.
    details["holder_name"] = json!("Augusta King");
    assert_eq!(add(&details).await.expect(200).json["details"]["holder_name"], "Augusta King");
    details["holder_name"] = json!("4242 4242 4242 4242");
    let refused = add(&details).await.expect(422);
    assert_eq!(refused.json["errors"][0]["pointer"], "/details/holder_name");
    assert!(!String::from_utf8_lossy(&refused.bytes).contains("4242 4242"));
}

#[tokio::test]
async fn what_was_moved_to_another_checkout_does_not_open() {
    let bench = Bench::start().await;
    let (order, checkout) = buy(&bench, "k").await;
    let (mine, other) = (order.json["checkout_id"].as_str().unwrap(), checkout.json["id"].as_str().unwrap());
    let moved = format!(
        "UPDATE checkouts SET metadata = (SELECT metadata FROM checkouts WHERE id = '{mine}') WHERE id = '{other}'"
    );
    bench.db.execute(&moved, &[]).await.unwrap();
    let refused = bench.get(BUYER, &format!("/v1/checkouts/{other}")).await.expect(500);
    assert_eq!(refused.code(), "sealed_field_unreadable");
    bench.get(BUYER, &format!("/v1/checkouts/{mine}")).await.expect(200);
}

#[tokio::test]
async fn what_looks_sealed_is_refused_and_names_nobody_else() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let forged = "sealed:1:00000000:AAAA";
    for (n, metadata) in [json!({"gift": forged}), json!({"a": [{"b": forged}]}), json!({forged: 1})].iter().enumerate()
    {
        let body = json!({"product_id": TEA, "quantity": 1, "payment_method_id": card, "metadata": metadata});
        let refused = bench.post(BUYER, "/v1/orders", &format!("k{n}"), body).await.expect(422);
        assert_eq!(
            (&refused.json["errors"][0]["pointer"], &refused.json["errors"][0]["code"]),
            (&json!("/metadata"), &json!("reserved"))
        );
    }
    // Text about it is no more than text.
    let told = json!({"gift": format!("it says \"{forged}\"")});
    let body = json!({"product_id": TEA, "quantity": 1, "payment_method_id": card, "metadata": told});
    let order = bench.post(BUYER, "/v1/orders", "k", body).await.expect(201);
    assert_eq!(order.json["metadata"], told);
    assert_eq!(bench.get(BUYER, &format!("/v1/orders/{}", order.id())).await.json["metadata"], told);
}

#[tokio::test]
async fn metadata_that_names_nobody_is_stored_as_it_came() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let plain = json!({"gift": true, "campaign": {"source": "app"}});
    let body = json!({"product_id": TEA, "quantity": 1, "payment_method_id": card, "metadata": plain});
    bench.post(BUYER, "/v1/orders", "k", body).await.expect(201);
    let found = "SELECT count(*) FROM orders o JOIN checkouts c ON c.id = o.checkout_id
        WHERE o.metadata @> '{\"campaign\": {\"source\": \"app\"}}' AND c.metadata = o.metadata";
    assert_eq!(bench.count(found).await, 1);
}

/// A whole number that a double cannot hold, those at the edges, and some by chance.
fn doubles() -> Vec<f64> {
    let edges = [0.1, 0.3, 1.0e23, 123_456_789.012_345_67, 8.41e21, f64::MAX, f64::MIN_POSITIVE, 5e-324, -1.7e-300];
    let mut seed = 42_u64;
    let by_chance = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from_bits(seed)
    });
    edges.into_iter().chain(by_chance.filter(|number| number.is_finite()).take(300)).collect()
}

#[tokio::test]
async fn numbers_come_back_to_the_last_digit() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let whole = json!([u64::MAX, i64::MIN, 9_007_199_254_740_993_u64]);
    let metadata = json!({"open": doubles(), "note": doubles(), "whole": whole});
    let body = json!({"product_id": TEA, "quantity": 1, "payment_method_id": card, "metadata": metadata});
    let order = bench.post(BUYER, "/v1/orders", "k", body).await.expect(201);
    let read = bench.get(BUYER, &format!("/v1/orders/{}", order.id())).await.expect(200);
    let exact = |value: &Value| value.as_array().unwrap().iter().map(|one| one.as_f64().unwrap().to_bits()).collect();
    let wanted: Vec<u64> = doubles().iter().map(|number| number.to_bits()).collect();
    for answer in [&order.json, &read.json] {
        for name in ["open", "note"] {
            let found: Vec<u64> = exact(&answer["metadata"][name]);
            assert_eq!(found, wanted, "{name}");
        }
        assert_eq!(answer["metadata"]["whole"], whole);
    }
}

#[tokio::test]
async fn what_no_double_holds_is_rounded_to_the_nearest_one() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let numbers =
        ["0.1234567890123456789", "3.14159265358979323846", "18446744073709551617", "2.4703282292062328e-324"];
    let text = format!(
        r#"{{"product_id": {TEA}, "quantity": 1, "payment_method_id": {card}, "metadata": {{"n": [{}]}}}}"#,
        numbers.join(", ")
    );
    let mut request = bench.request(BUYER, "POST", "/v1/orders", Some("k"), &Value::Null);
    *request.body_mut() = text.into();
    let order = bench.send(request).await.expect(201);
    let found: Vec<f64> = serde_json::from_value(order.json["metadata"]["n"].clone()).unwrap();
    let bits: Vec<u64> = found.iter().map(|number| number.to_bits()).collect();
    assert_eq!(bits, numbers.map(|text| text.parse::<f64>().unwrap().to_bits()), "{found:?}");
}

#[tokio::test]
async fn a_rotation_puts_nothing_back_that_was_taken_out_meanwhile() {
    let bench = Bench::start().await;
    buy(&bench, "k").await;
    for column in
        crate::SEALED_COLUMNS.iter().filter(|one| ["checkouts", "orders", "payment_methods"].contains(&one.table))
    {
        let (table, name) = (column.table, column.column);
        let read =
            format!("SELECT id::text, {name}::text FROM {table} WHERE {name} <> '{{}}' ORDER BY id DESC LIMIT 1");
        let row = bench.db.row(&read, &[]).await.unwrap().unwrap();
        let (key, old): (String, String) = (row.get(0), row.get(1));
        // What a rotation has read is taken out by an erasure before it writes.
        crate::store::customers::erase(&bench.db, &[BUYER], None).await.unwrap();
        bench
            .db
            .execute(column.write, &[&[key].as_slice(), &[old].as_slice(), &[r#"{"note": "back"}"#].as_slice()])
            .await
            .unwrap();
        let back = format!("SELECT count(*) FROM {table} WHERE {name} ->> 'note' = 'back'");
        assert_eq!(bench.count(&back).await, 0, "{table}");
        buy(&bench, table).await;
    }
}

//! Payment methods.

use serde_json::{Value, json};

use super::bench::{BUYER, Bench, OTHER, TEA};

#[tokio::test]
async fn the_same_card_is_the_same_method_until_it_is_removed() {
    let bench = Bench::start().await;
    let first = bench.card(BUYER, "4242424242424242").await;
    assert_eq!(bench.card(BUYER, "4242 4242 4242 4242").await, first);
    assert_ne!(bench.card(OTHER, "4242424242424242").await, first);
    assert_ne!(bench.card(BUYER, "5555555555554444").await, first);
    let listed = bench.get(BUYER, "/v1/payment-methods").await.expect(200);
    assert_eq!(listed.json["data"].as_array().unwrap().len(), 2);
    let path = format!("/v1/payment-methods/{first}");
    let shown = bench.get(BUYER, &path).await.expect(200);
    let expected = json!({"brand": "visa", "last4": "4242", "expiry_month": 12, "expiry_year": 2040});
    assert_eq!(shown.json["details"], expected);
    bench.get(OTHER, &path).await.expect(404);
    bench.send(bench.request(OTHER, "DELETE", &path, None, &Value::Null)).await.expect(404);
    bench.send(bench.request(BUYER, "DELETE", &path, None, &Value::Null)).await.expect(204);
    bench.send(bench.request(BUYER, "DELETE", &path, None, &Value::Null)).await.expect(404);
    let refused = bench.order(BUYER, "k", TEA, 1, first).await.expect(422);
    assert_eq!(refused.json["errors"][0]["code"], "unknown_payment_method");
    assert_ne!(bench.card(BUYER, "4242424242424242").await, first);
}

#[tokio::test]
async fn an_expired_card_is_not_charged() {
    let bench = Bench::start().await;
    let card = bench.card(BUYER, "4242424242424242").await;
    let expire = "UPDATE payment_methods SET details = jsonb_set(details, '{expiry_year}', '2020')";
    bench.db.execute(expire, &[]).await.unwrap();
    let refused = bench.order(BUYER, "k", TEA, 1, card).await.expect(422);
    assert_eq!(refused.json["errors"][0]["code"], "card_expired");
}

#[tokio::test]
async fn no_card_number_or_cvc_is_kept_anywhere() {
    let bench = Bench::start().await;
    let number = "4000056655665556";
    let details = json!({"card_number": number, "expiry_month": 12, "expiry_year": 2040, "cvc": "987"});
    let body = json!({"payment_type": "card", "details": details});
    let added = bench.send(bench.request(BUYER, "POST", "/v1/payment-methods", None, &body)).await.expect(201);
    assert!(!String::from_utf8_lossy(&added.bytes).contains(number));
    let card = added.id();
    bench.order(BUYER, "k", TEA, 1, card).await.expect(201);
    let tables = "SELECT quote_ident(relname) FROM pg_class \
                  WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace";
    let rows = bench.db.rows(tables, &[]).await.unwrap();
    assert!(rows.len() > 12);
    for row in rows {
        let table: String = row.get(0);
        // A plain table is searched as text; `bytea` prints as hex, so the number is sought in that form too.
        let sql = format!(
            "SELECT count(*) FROM {table} t WHERE t::text LIKE '%{number}%' OR t::text LIKE '%\"987\"%' \
             OR t::text LIKE '%' || encode('{number}', 'hex') || '%'"
        );
        if !table.contains("schema_migrations") {
            assert_eq!(bench.count(&sql).await, 0, "{table}");
        }
    }
}

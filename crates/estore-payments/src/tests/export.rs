//! What somebody takes away of their purchases: theirs, all of it, as it was sent.

use estore_api::customers::{CustomersApi, Purchases};
use serde_json::json;

use super::bench::{BUYER, Bench, OTHER, TEA};

#[tokio::test]
async fn an_export_holds_ones_own_purchases_and_says_where_there_are_more() {
    let bench = Bench::start().await;
    let note = |who| json!({"customer_name": format!("Customer {who}")});
    for who in [BUYER, OTHER] {
        let card = bench.card(who, "4242424242424242").await;
        let body = json!({"product_id": TEA, "quantity": 1, "payment_method_id": card, "metadata": note(who)});
        bench.post(who, "/v1/orders", "k", body).await.expect(201);
    }
    for who in [BUYER, OTHER] {
        let Purchases { payment_methods, orders, has_more_orders } = bench.payments.purchases(who).await.unwrap();
        assert_eq!((payment_methods.len(), orders.len(), has_more_orders), (1, 1, false));
        assert_eq!((&orders[0]["user_id"], &orders[0]["metadata"]), (&json!(who), &note(who)));
        let shown = bench.get(who, "/v1/payment-methods").await.expect(200).json;
        assert_eq!(json!(payment_methods), shown["data"]);
    }
    let many = "INSERT INTO orders (user_id, product_id, quantity, total_amount, payment_method_id, checkout_id, unit_price, currency)
        SELECT user_id, (100 + n)::text, 1, 1, payment_method_id, checkout_id, 1, currency
        FROM orders, generate_series(1, $1::int) AS n WHERE user_id = $2";
    bench.db.execute(many, &[&9_999, &BUYER.to_string()]).await.unwrap();
    let full = bench.payments.purchases(BUYER).await.unwrap();
    assert_eq!((full.orders.len(), full.has_more_orders), (10_000, false));
    bench
        .db
        .execute("UPDATE orders SET user_id = $1 WHERE user_id = $2", &[&BUYER.to_string(), &OTHER.to_string()])
        .await
        .unwrap();
    let cut = bench.payments.purchases(BUYER).await.unwrap();
    assert_eq!((cut.orders.len(), cut.has_more_orders), (10_000, true));
    assert_eq!(bench.payments.purchases(OTHER).await.unwrap().orders, Vec::<serde_json::Value>::new());
}

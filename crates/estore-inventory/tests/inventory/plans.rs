//! The lists go by an index on a catalogue of some size, so that a page deep down costs what the first does.

use estore_kit::db::Db;
use tokio_postgres::types::{ToSql, Type};

use crate::shop::Shop;

const SEED: &str = "
    INSERT INTO categories (name) SELECT 'Category ' || n FROM generate_series(1, 200) n;
    INSERT INTO products (name, description, price, quantity, category_id, metadata)
    SELECT 'Thing ' || md5(n::text), 'Described as ' || md5((n / 3)::text), n % 5000, n % 9, 1 + n % 200,
        jsonb_build_object('n', n / 2)
    FROM generate_series(1, 20000) n;
    ANALYZE categories; ANALYZE products;";

/// Metadata and words.
type Filters = (Option<&'static str>, Option<&'static str>);

#[tokio::test]
async fn lists_go_by_an_index() {
    let shop = Shop::open().await;
    let owner = Db::new(shop.database.owner_config(), 1).unwrap();
    owner.client().await.unwrap().batch_execute(SEED).await.unwrap();
    let lists: [(&str, &str, Type, Filters); 6] = [
        (include_str!("../../queries/list_products_newest.sql"), "products_pkey", Type::INT4, (None, None)),
        (include_str!("../../queries/list_products_price.sql"), "idx_products_active_price", Type::INT4, (None, None)),
        (
            include_str!("../../queries/list_products_price_down.sql"),
            "idx_products_active_price",
            Type::INT4,
            (None, None),
        ),
        (include_str!("../../queries/list_products_name.sql"), "idx_products_active_name", Type::VARCHAR, (None, None)),
        (
            include_str!("../../queries/list_products_newest.sql"),
            "idx_products_metadata",
            Type::INT4,
            (Some(r#"{"n":77}"#), None),
        ),
        (
            include_str!("../../queries/list_products_relevance.sql"),
            "idx_products_search",
            Type::INT4,
            (None, Some("'c4ca4238a0b923820dcc509a6f75849b'")),
        ),
    ];
    for (sql, index, key, filters) in lists {
        let plan = plan(&shop.db, sql, key, filters).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan on products"), "{index}:\n{plan}");
    }
}

async fn plan(db: &Db, sql: &str, key: Type, (metadata, words): Filters) -> String {
    let metadata: Option<serde_json::Value> = metadata.map(|text| serde_json::from_str(text).unwrap());
    let (price, name, id, rows) = (4_000, "Thing 9", 10_000, 21_i64);
    let after: &(dyn ToSql + Sync) = if key == Type::VARCHAR { &name } else { &price };
    let params: [(&(dyn ToSql + Sync), Type); 12] = [
        (&false, Type::BOOL),
        (&None::<bool>, Type::BOOL),
        (&None::<i32>, Type::INT4),
        (&None::<i32>, Type::INT4),
        (&None::<i32>, Type::INT4),
        (&None::<bool>, Type::BOOL),
        (&metadata, Type::JSONB),
        (&words, Type::TEXT),
        (&None::<&str>, Type::TEXT),
        (after, key),
        (&id, Type::INT4),
        (&rows, Type::INT8),
    ];
    let rows = db.client().await.unwrap().query_typed(&format!("EXPLAIN {sql}"), &params).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

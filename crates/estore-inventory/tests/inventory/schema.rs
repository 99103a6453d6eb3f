use estore_inventory::MIGRATIONS;
use estore_testkit::cluster::TestCluster;

use crate::shop::Shop;

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let shop = Shop::open().await;
    let client = shop.db.client().await.unwrap();
    let mut statements = 0;
    for folder in ["queries", "checks"] {
        for entry in std::fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
            let path = entry.unwrap().path();
            let sql = std::fs::read_to_string(&path).unwrap();
            assert!(sql.starts_with("-- "), "{} does not say what it is for", path.display());
            if sql.contains("COPY import_rows") {
                continue;
            }
            client.prepare(&sql).await.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
            statements += 1;
        }
    }
    assert!(statements > 20, "only {statements} statements were found");
}

#[tokio::test]
async fn the_migrations_go_down_and_up_again_with_rows_in_place() {
    let catalogue = "INSERT INTO categories (name) VALUES ('Garden');
        INSERT INTO categories (name, parent_id) VALUES ('Tools', 1);
        INSERT INTO products (name, price, quantity, category_id) VALUES ('Spade', 1250, 7, 2), ('Hoe', 900, 0, 2);";
    let stock = "INSERT INTO stock_movements (product_id, delta, kind) VALUES (1, 9, 'initial');
        INSERT INTO holds (checkout_id, state) VALUES ('00000000-0000-0000-0000-000000000001', 'held');
        INSERT INTO hold_lines VALUES ('00000000-0000-0000-0000-000000000001', 1, 2, 1250);
        INSERT INTO stock_movements (product_id, delta, kind, checkout_id)
            VALUES (1, -2, 'hold', '00000000-0000-0000-0000-000000000001');";
    let seeds = [(202611222000, catalogue), (202611222010, stock)];
    TestCluster::shared().await.check_migrations("inventory", MIGRATIONS, &seeds).await;
}

#[tokio::test]
async fn the_tables_are_the_specified_ones() {
    let path = format!("{}/../../../shared/docs/schema.sql", env!("CARGO_MANIFEST_DIR"));
    let Ok(specification) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: the specification is not beside the project ({path})");
        return;
    };
    TestCluster::shared().await.assert_specified("inventory", MIGRATIONS, &specification).await;
}

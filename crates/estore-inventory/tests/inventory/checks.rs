//! Each check of `estore verify` on this database is clean on a used shop and finds the damage that it is there for.

use estore_inventory::CHECKS;
use estore_kit::db::Db;
use uuid::Uuid;

use crate::shop::Shop;

/// What breaks the promise of a check, in a database whose triggers are off.
const DAMAGE: &[(&str, &str)] = &[
    ("rows_are_closed", "CREATE TABLE wishes (user_id integer)"),
    ("roles_are_narrow", "GRANT estore_inventory_owner TO estore_inventory_app"),
    ("audit_is_written", "ALTER TABLE categories DISABLE TRIGGER audit_update"),
    (
        "quantity_not_negative",
        "ALTER TABLE products DROP CONSTRAINT products_quantity_not_negative; UPDATE products SET quantity = -1",
    ),
    ("movements_sum_to_quantity", "UPDATE products SET quantity = quantity + 1"),
    ("movements_have_products", "DELETE FROM products"),
    (
        "restocks_within_sales",
        "INSERT INTO stock_movements (product_id, delta, kind, checkout_id, order_id) \
         SELECT product_id, quantity + 1, 'restock', checkout_id, 1 FROM hold_lines LIMIT 1",
    ),
    ("holds_move_their_lines", "DELETE FROM stock_movements WHERE kind = 'hold'"),
    ("holds_have_lines", "DELETE FROM hold_lines"),
    (
        "categories_are_a_tree",
        "UPDATE categories SET parent_id = (SELECT max(id) FROM categories) WHERE parent_id IS NULL",
    ),
];

#[tokio::test]
async fn every_check_sees_its_damage() {
    let shop = Shop::open().await;
    let above = shop.category("Drinks", None).await;
    let _below = shop.category("Tea", Some(above)).await;
    let (tea, cup) = (shop.product("Tea", 250, 10).await, shop.product("Cup", 1_000, 10).await);
    let _held = shop.hold(Uuid::now_v7(), &[(tea, 2), (cup, 1)]).await;
    let admin = Db::new(shop.database.admin_config(), 1).unwrap();
    for check in CHECKS {
        let damage = DAMAGE.iter().find(|(name, _)| *name == check.name);
        let (_, damage) = damage.unwrap_or_else(|| panic!("{} is never seen to find anything", check.name));
        let mut client = admin.client().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        transaction.batch_execute("SET LOCAL session_replication_role = replica").await.unwrap();
        assert!(transaction.query(check.sql, &[]).await.unwrap().is_empty(), "{} cries wolf", check.name);
        transaction.batch_execute(damage).await.unwrap_or_else(|error| panic!("{}: {error:?}", check.name));
        let found = transaction.query(check.sql, &[]).await.unwrap();
        assert!(!found.is_empty(), "{} is blind", check.name);
    }
}

//! What an item pays for its way through a batcher and back, and an order for what is personal in its metadata, counted by
//! `script/instructions`.

use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::batcher::{BatchLimits, Batcher};
use crate::field::{Fields, Place};

#[inline(never)]
fn counted_hand_to_batcher(runtime: &Runtime, batcher: &Batcher<u64, u64>, item: u64) -> Option<u64> {
    runtime.block_on(batcher.submit(item)).ok()
}

#[test]
fn hand_to_batcher() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let batcher = runtime
        .block_on(async { Batcher::start(BatchLimits::at_once(64, 16, 1), |items: Vec<u64>| async move { items }) });
    for item in 0..200 {
        assert_eq!(counted_hand_to_batcher(&runtime, &batcher, item), Some(item));
    }
}

#[inline(never)]
fn counted_seal_personal_leaves(fields: &Fields, metadata: &mut Map<String, Value>, row: usize) -> bool {
    fields.seal_leaves(metadata, Place { table: "checkouts", column: "metadata", row }).unwrap()
}

#[test]
fn seal_personal_leaves() {
    let fields = Fields::passing().unwrap();
    let address = json!({ "street": "1 Mill Lane", "city": "Ely", "postcode": "CB7 4AA", "country": "GB" });
    let metadata = json!({ "email": "ada@example.org", "shipping_address": address, "gift": true, "channel": "web" });
    let Value::Object(metadata) = metadata else { unreachable!("it is written as an object") };
    for row in 0..200 {
        assert!(counted_seal_personal_leaves(&fields, &mut metadata.clone(), row));
    }
}

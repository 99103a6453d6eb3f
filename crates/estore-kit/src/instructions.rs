//! What an item pays for its way through a batcher and back, counted by `script/instructions`.

use tokio::runtime::Runtime;

use crate::batcher::{BatchLimits, Batcher};

#[inline(never)]
fn counted_hand_to_batcher(runtime: &Runtime, batcher: &Batcher<u64, u64>, item: u64) -> Option<u64> {
    runtime.block_on(batcher.submit(item)).ok()
}

#[test]
fn hand_to_batcher() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let batcher = runtime.block_on(async {
        let limits = BatchLimits { queue_max: 64, batch_max: 16, workers: 1 };
        Batcher::start(limits, |items: Vec<u64>| async move { items })
    });
    for item in 0..200 {
        assert_eq!(counted_hand_to_batcher(&runtime, &batcher, item), Some(item));
    }
}

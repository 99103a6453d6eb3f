//! The categories: by slot, so that products can be counted in an array.

use std::collections::HashMap;

use crate::limits::CATEGORY_LEVELS_MAX;
use crate::search::CategoryCount;

/// A category as the database has it.
#[derive(Debug)]
pub(crate) struct CategoryRow {
    pub(crate) id: i32,
    pub(crate) parent_id: Option<i32>,
    pub(crate) name: String,
}

/// Slots are given once; a category that is gone keeps its own, for nothing is in it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    slots: HashMap<i32, u32>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    id: i32,
    name: String,
    parent: Option<u32>,
}

impl Tree {
    pub(super) fn slot(&self, id: i32) -> Option<u32> {
        self.slots.get(&id).copied()
    }

    pub(super) fn set(&mut self, rows: Vec<CategoryRow>) {
        for row in &rows {
            self.ensure(row.id);
        }
        for row in rows {
            let (slot, parent) = (self.ensure(row.id), row.parent_id.map(|parent| self.ensure(parent)));
            if let Some(node) = self.nodes.get_mut(slot as usize) {
                (node.name, node.parent) = (row.name, parent);
            }
        }
    }

    fn ensure(&mut self, id: i32) -> u32 {
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let slot = *self.slots.entry(id).or_insert(next);
        if slot == next {
            self.nodes.push(Node { id, name: String::new(), parent: None });
        }
        slot
    }

    /// By slot, whether it is this category or one below it.
    pub(super) fn below(&self, id: i32) -> Vec<bool> {
        let Some(top) = self.slot(id) else { return Vec::new() };
        (0..).zip(&self.nodes).map(|(slot, _)| self.upwards(slot).any(|above| above == top)).collect()
    }

    /// The slot and those above it. The schema knows no cycle; two reads of a tree that moves might.
    fn upwards(&self, slot: u32) -> impl Iterator<Item = u32> {
        let parent = |slot: &u32| self.nodes.get(*slot as usize).and_then(|node| node.parent);
        std::iter::successors(Some(slot), parent).take(CATEGORY_LEVELS_MAX)
    }

    /// The categories that hold any of the products counted by slot, the fullest first.
    pub(super) fn counts(&self, by_slot: &[u32], most: usize) -> Vec<CategoryCount> {
        let mut all = vec![0_i64; self.nodes.len()];
        for (slot, products) in (0..).zip(by_slot).filter(|(_, products)| **products > 0) {
            for above in self.upwards(slot) {
                if let Some(sum) = all.get_mut(above as usize) {
                    *sum += i64::from(*products);
                }
            }
        }
        let mut found: Vec<(i64, &Node)> =
            all.into_iter().zip(&self.nodes).filter(|(products, _)| *products > 0).collect();
        found.sort_unstable_by_key(|(products, node)| (-products, node.id));
        found.truncate(most);
        let told = |(count, node): (i64, &Node)| CategoryCount { category_id: node.id, name: node.name.clone(), count };
        found.into_iter().map(told).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.nodes.iter().map(|node| node.name.len() + 96).sum()
    }
}

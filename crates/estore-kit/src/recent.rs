//! A map that forgets what nobody asked for lately, so that its memory is bounded.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem::take;

/// Two generations: what is asked for moves to the young one, and what was not asked for goes with the old one.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    entries_max: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash + Clone, V: Clone> Recent<K, V> {
    /// One that never holds more than `entries_max`, and always the half of them that were asked for last.
    pub(crate) fn with_room_for(entries_max: usize) -> Self {
        Self { entries_max, young: HashMap::new(), old: HashMap::new() }
    }

    pub(crate) fn find(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.keep(key.clone(), value.clone());
        Some(value)
    }

    pub(crate) fn keep(&mut self, key: K, value: V) {
        if self.young.len() >= self.entries_max / 2 && !self.young.contains_key(&key) {
            self.old = take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

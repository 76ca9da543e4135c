//! How the memory limit is spent.

use std::sync::Mutex;

use crate::counts::{Key, Keys};

/// Keys of a piece of a feature that is too large for memory; a piece below this would cost more in calls than it saves.
const SMALLEST_WINDOW: usize = 1 << 16;

/// The shares of the memory limit. Half of it is for keys; the rest is for what decoding and the program itself need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    limit: usize,
    threads: usize,
}

impl Memory {
    pub(super) fn new(limit: usize, threads: usize) -> Self {
        Self { limit, threads: threads.max(1) }
    }

    /// Bytes of keys that may be held at once, over all threads.
    pub(super) fn keys(&self) -> usize {
        self.limit / 2
    }

    /// Bytes of keys that each thread may hold when every thread has a feature of its own.
    pub(super) fn keys_a_thread(&self) -> usize {
        self.keys() / self.threads
    }

    /// Bytes of what is known of rows: which of them belong to which part.
    pub(super) fn row_maps(&self) -> usize {
        self.limit / 8
    }

    /// Keys in a window of a column that is not held: each thread has one, decoded and being counted.
    pub(super) fn window(&self, key_bytes: usize) -> usize {
        (self.limit / 16 / self.threads / key_bytes.max(1)).clamp(SMALLEST_WINDOW, 1 << 24)
    }

    /// Keys that may be fetched at a time from a column that is not held, while nothing else is.
    pub(super) fn fetch(&self, key_bytes: usize) -> u64 {
        (self.limit / 8 / key_bytes.max(1)).max(SMALLEST_WINDOW) as u64
    }

    /// Bytes that one table of categories may take.
    pub(super) fn categories(&self) -> usize {
        (self.keys_a_thread() / 2).max(1 << 20)
    }
}

/// Key buffers that were used and are empty again. Fresh memory costs more to touch than a key costs to decode.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Keys>>);

impl Pool {
    /// An empty buffer for keys of `bits`, with room for `capacity` where one was kept.
    pub(super) fn take(&self, bits: u32, capacity: usize) -> Keys {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let fits = |keys: &Keys| keys.bits() == bits && room(keys) >= capacity;
        match kept.iter().rposition(fits) {
            Some(index) => kept.swap_remove(index),
            None => {
                // Whatever is too small now would pile up beside its larger successor.
                if let Some(index) = kept.iter().rposition(|keys| keys.bits() == bits) {
                    kept.swap_remove(index);
                }
                Keys::with_capacity(bits, capacity)
            }
        }
    }

    /// Takes a buffer back.
    pub(super) fn give(&self, mut keys: Keys) {
        keys.clear();
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(keys);
    }

    /// Lets all kept memory go, before something that needs it for itself.
    pub(super) fn release(&self) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }
}

fn room(keys: &Keys) -> usize {
    fn capacity<K: Key>(keys: &Vec<K>) -> usize {
        keys.capacity()
    }
    crate::counts::with_keys!(keys, keys => capacity(keys))
}

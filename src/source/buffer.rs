//! Buffers that are used again.
//!
//! Fresh memory costs a page fault for every 4 KiB, several times the price of filling it. Column chunks and
//! decompressed pages therefore live in buffers that go back to the thread's shelf when the last user drops them.

use std::cell::RefCell;

use bytes::Bytes;

use super::error::Fault;

/// Larger buffers are freed, so that one big page does not stay in memory for the whole run.
const MAX_KEPT_BYTES: usize = 16 << 20;
/// One for a chunk, and a few for the pages in flight.
const MAX_KEPT: usize = 4;

thread_local! {
    static SHELF: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of fixed length; its content is whatever was there before.
pub(crate) struct Buffer {
    /// At least `length` bytes, all initialised.
    bytes: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// A buffer of `length` bytes.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn take(length: usize) -> Result<Self, Fault> {
        let fitting = SHELF.with_borrow_mut(|shelf| {
            let index = shelf.iter().position(|kept| kept.len() >= length).or(shelf.len().checked_sub(1));
            index.map(|index| shelf.swap_remove(index))
        });
        let mut bytes = fitting.unwrap_or_default();
        if bytes.len() < length {
            bytes
                .try_reserve_exact(length - bytes.len())
                .map_err(|_| Fault::Io(std::io::Error::other(format!("no memory for {length} bytes"))))?;
            bytes.resize(length, 0);
        }
        Ok(Self { bytes, length })
    }

    /// The bytes, to be filled.
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }

    /// The bytes, to be shared; the buffer comes back when the last share is dropped.
    pub(crate) fn share(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.len() <= MAX_KEPT_BYTES {
            // The shelf is gone while its thread ends; the buffer is then simply freed.
            let _ = SHELF.try_with(|shelf| {
                let mut shelf = shelf.borrow_mut();
                if shelf.len() < MAX_KEPT {
                    shelf.push(bytes);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_buffer_is_used_again() {
        let first = Buffer::take(1000).unwrap();
        let address = first.as_ref().as_ptr();
        drop(first.share());
        let second = Buffer::take(500).unwrap();
        assert_eq!(second.as_ref().as_ptr(), address);
        assert_eq!(second.as_ref().len(), 500);
    }
}

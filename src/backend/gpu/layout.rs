//! Where the keys of a batch stand on the device: which window, and where in it.
//!
//! A window is one buffer with keys of one width; columns follow each other without gaps, and a column that does not
//! fit the rest of a window goes on in the next one.

use super::kernels::Width;
use crate::backend::Column;
use crate::counts::Keys;

/// A run of keys of one column in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Index of the window.
    pub(super) window: usize,
    /// Index of the first key in the window.
    pub(super) first: u64,
    /// Number of keys, at least one.
    pub(super) n: u64,
}

/// One buffer of keys, before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WindowPlan {
    pub(super) width: Width,
    pub(super) n: u64,
}

/// What to copy where: keys `start..start + n` of a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer<'k> {
    pub(super) keys: &'k Keys,
    pub(super) start: usize,
    pub(super) part: Part,
}

/// Where everything stands.
#[derive(Debug, Default)]
pub(super) struct Layout<'k> {
    pub(super) windows: Vec<WindowPlan>,
    /// The parts of each column; none for a column without keys or one that stays on the host.
    pub(super) columns: Vec<Vec<Part>>,
    pub(super) transfers: Vec<Transfer<'k>>,
}

impl<'k> Layout<'k> {
    /// Places `columns` in windows of at most `window_bytes` bytes. Keys of 128 bits get no place.
    pub(super) fn new(columns: &[Column<'k>], window_bytes: u64) -> Self {
        let mut layout = Self { columns: vec![Vec::new(); columns.len()], ..Self::default() };
        for width in Width::ALL {
            // A window holds fewer than 2^31 keys, so that no counter of a window can wrap.
            let capacity = (window_bytes / width.bytes()).clamp(1, (1 << 31) - 1);
            let mut open: Option<usize> = None;
            for (column, pieces) in columns.iter().enumerate() {
                for &keys in pieces.iter().filter(|keys| Width::of(keys.bits()) == Some(width)) {
                    let mut start = 0;
                    while start < keys.len() {
                        let window = match open {
                            Some(window) if layout.windows[window].n < capacity => window,
                            _ => {
                                layout.windows.push(WindowPlan { width, n: 0 });
                                layout.windows.len() - 1
                            }
                        };
                        open = Some(window);
                        let first = layout.windows[window].n;
                        let n = ((keys.len() - start) as u64).min(capacity - first);
                        let part = Part { window, first, n };
                        layout.windows[window].n += n;
                        layout.push_part(column, part);
                        layout.transfers.push(Transfer { keys, start, part });
                        start += usize::try_from(n).unwrap_or(usize::MAX);
                    }
                }
            }
        }
        layout
    }

    /// Pieces of a column that stand side by side become one part.
    fn push_part(&mut self, column: usize, part: Part) {
        match self.columns[column].last_mut() {
            Some(last) if last.window == part.window && last.first + last.n == part.first => last.n += part.n,
            _ => self.columns[column].push(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_windows_and_long_ones_span_several() {
        let (a, b, c) = (Keys::U32(vec![1; 5]), Keys::U32(vec![2; 9]), Keys::U64(vec![3; 3]));
        let layout = Layout::new(&[vec![&a, &a], vec![&c], vec![&b], vec![]], 48);
        let n: Vec<_> = layout.windows.iter().map(|window| (window.width, window.n)).collect();
        assert_eq!(n, [(Width::Bits32, 12), (Width::Bits32, 7), (Width::Bits64, 3)]);
        assert_eq!(layout.columns[0], [Part { window: 0, first: 0, n: 10 }]);
        assert_eq!(layout.columns[2], [Part { window: 0, first: 10, n: 2 }, Part { window: 1, first: 0, n: 7 }]);
        assert_eq!(layout.columns[1], [Part { window: 2, first: 0, n: 3 }]);
        assert!(layout.columns[3].is_empty());
    }

    #[test]
    fn keys_of_128_bits_get_no_place() {
        let wide = Keys::U128(vec![1; 5]);
        let layout = Layout::new(&[vec![&wide]], 48);
        assert!(layout.windows.is_empty() && layout.columns[0].is_empty());
    }
}

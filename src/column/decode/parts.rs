//! The pages of a chunk, told apart by kind and lent to one reader each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::ParquetError;

use crate::source::{Fault, Pages};

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Dictionary,
    Codes,
    Values,
}

impl Kind {
    fn of(page: &Page) -> Self {
        match (page, page.encoding()) {
            (Page::DictionaryPage { .. }, _) => Self::Dictionary,
            (_, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY) => Self::Codes,
            _ => Self::Values,
        }
    }
}

/// The pages of a chunk, the next of which can be looked at.
struct Turn {
    pages: Pages,
    next: Option<Page>,
}

impl Turn {
    fn look(&mut self) -> Result<Option<&Page>, Fault> {
        if self.next.is_none() {
            self.next = self.pages.next_page()?;
        }
        Ok(self.next.as_ref())
    }
}

/// The pages of a chunk, shared by its readers. Readers own their pages and must be able to go to another thread, so the
/// sharing is by a lock, which nobody ever waits for.
#[derive(Clone)]
pub(super) struct Chunk(Arc<Mutex<Turn>>);

impl Chunk {
    pub(super) fn new(pages: Pages) -> Self {
        Self(Arc::new(Mutex::new(Turn { pages, next: None })))
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kind of the next page, or `None` when all rows have come.
    pub(super) fn kind(&self) -> Result<Option<Kind>, Fault> {
        Ok(self.turn().look()?.map(Kind::of))
    }

    /// The next page.
    pub(super) fn take(&self) -> Result<Page, Fault> {
        let mut turn = self.turn();
        turn.look()?;
        turn.next.take().ok_or_else(|| Fault::corrupt("the column chunk ends before its rows do"))
    }

    /// The pages of one kind, up to the first of another kind; after that one was taken, they go on.
    pub(super) fn part(&self, kind: Kind) -> Part {
        Part { first: None, from: Some((self.clone(), kind)) }
    }
}

/// Pages for one reader.
pub(in crate::column) struct Part {
    first: Option<Page>,
    from: Option<(Chunk, Kind)>,
}

impl Part {
    /// One page and no more.
    pub(super) fn of(page: Page) -> Self {
        Self { first: Some(page), from: None }
    }
}

impl Iterator for Part {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Part {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let Some((chunk, kind)) = &self.from else { return Ok(None) };
        let mut turn = chunk.turn();
        let is_mine = turn.look()?.is_some_and(|page| Kind::of(page) == *kind);
        Ok(if is_mine { turn.next.take() } else { None })
    }

    // Whole chunks are read here, so nobody looks ahead or skips.
    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        Err(ParquetError::NYI("pages are read in order".into()))
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        Err(ParquetError::NYI("pages are read in order".into()))
    }
}

/// A part as the only chunk of its column.
pub(super) struct OnlyChunk(pub(super) Option<Part>);

impl Iterator for OnlyChunk {
    type Item = Result<Box<dyn PageReader>, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.0.take()?;
        Some(Ok(Box::new(part)))
    }
}

impl PageIterator for OnlyChunk {}

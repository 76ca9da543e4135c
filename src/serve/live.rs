//! The history as it is now, with what was made of it for earlier requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::dashboard::{Board, ModelBoard, ModelBoards};
use crate::history::{History, HistoryError, RunFilter, StoredRun};

/// Boards by job, and the models of all of them with the state of the history that they are of.
#[derive(Debug, Default)]
pub(super) struct Cache {
    boards: Mutex<HashMap<String, Known>>,
    models: Mutex<Option<(String, Arc<ModelBoards>)>>,
}

/// A board, and the names and revisions of the runs that it was made of.
#[derive(Debug)]
struct Known {
    state: Vec<(String, u32)>,
    board: Arc<Board>,
}

/// One worker's view.
pub(super) struct Live<'s> {
    pub(super) history: &'s History,
    pub(super) cache: &'s Cache,
    pub(super) last: Option<usize>,
}

impl Live<'_> {
    /// Every run of every job, the oldest first.
    pub(super) fn runs(&self) -> Result<Vec<StoredRun>, HistoryError> {
        self.history.runs(&RunFilter::default())
    }

    /// The models of every job, read anew when any of them changed.
    pub(super) fn models(&self) -> Result<Arc<ModelBoards>, HistoryError> {
        let state = self.history.models_state()?;
        let known = || self.cache.models.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, models)) = known().as_ref().filter(|(of, _)| *of == state) {
            return Ok(models.clone());
        }
        let models = Arc::new(ModelBoard::all(self.history, None, self.last)?);
        *known() = Some((state, models.clone()));
        Ok(models)
    }

    /// The board of a job; nothing when it has no runs. It is made anew when a run came, went, or was replaced.
    pub(super) fn board(&self, job: &str) -> Result<Option<Arc<Board>>, HistoryError> {
        let runs = self.history.runs(&RunFilter { job: Some(job.to_owned()), last: self.last })?;
        let state: Vec<_> = runs.iter().map(|run| (run.name.clone(), run.revision)).collect();
        let boards = || self.cache.boards.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = boards().get(job).filter(|known| known.state == state) {
            return Ok(Some(known.board.clone()));
        }
        let Some(board) = Board::read(self.history, job, self.last, false)?.map(Arc::new) else { return Ok(None) };
        boards().insert(job.to_owned(), Known { state, board: board.clone() });
        Ok(Some(board))
    }
}

//! How a scan tells how far it is. Who draws it is not known here.

/// Told by a scan what it does; called from many threads.
pub trait Progress: Sync {
    /// The work is known: so many features with so many values of both sides together.
    fn start(&self, total_features: u64, values: u64);

    /// One more feature is finished; `rows` is the number of its rows on both sides.
    fn feature_done(&self, rows: u64);

    /// The scan is over.
    fn finish(&self);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&self, _: u64, _: u64) {}
    fn feature_done(&self, _: u64) {}
    fn finish(&self) {}
}

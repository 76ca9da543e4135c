//! Whether to train a model again: evidence from the history, a policy, an answer with its reasons.
//!
//! ```text
//!     History -> Evidence   evidence   drift, new samples, time since the last training
//!                           performance  how good the model is, from its windows
//!             -> Decision   policy     every rule with its figure, and what they amount to
//!             -> Ledger     ledger     the answer is kept, and given once: until `done`, it has been asked for
//! ```
//!
//! Drift that looks like a bug of the pipeline is no reason to train: a model that learns from broken rows is worse
//! than an old one.

mod config;
mod evidence;
mod ledger;
mod performance;
mod policy;

pub use config::{PolicyName, RetrainConfig};
pub use evidence::{Drift, Evidence, Look};
pub use ledger::{Ledger, Training};
pub use performance::{MeasuredIn, Performance, Watched};
pub use policy::{Answer, Decision, Policy, Rule};

//! What can be wrong with a profile.

use std::path::PathBuf;

/// Why a profile cannot be written, opened or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The file system says no.
    #[error("cannot read the profile {}", path.display())]
    Io {
        /// The profile.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Some other kind of file.
    #[error("{} is not a gpudrift profile; make one with gpudrift profile build", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Written by another version of gpudrift in a form that this one does not know.
    #[error("the profile {} has format {found}, and this gpudrift reads format {known}; build it anew with \
             gpudrift profile build", path.display())]
    Version {
        /// The profile.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format that is read here.
        known: u32,
    },
    /// Cut off or altered since it was written.
    #[error("the profile {} is damaged ({what}); build it anew with gpudrift profile build", path.display())]
    Damaged {
        /// The profile.
        path: PathBuf,
        /// Which part.
        what: String,
    },
    /// The profile does not hold what this question needs.
    #[error("the profile cannot answer for feature `{feature}`: {reason}")]
    Unanswered {
        /// The feature.
        feature: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The keys of a feature are damaged.
    #[error("the profile's keys of feature `{feature}` are damaged; build it anew with gpudrift profile build")]
    Keys {
        /// The feature.
        feature: String,
    },
    /// A value of the reference has no place among those of the current type.
    #[error("column `{feature}` of the profile: {reason}")]
    Value {
        /// The feature.
        feature: String,
        /// Why.
        reason: String,
    },
    /// Writing failed.
    #[error("cannot write the profile")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

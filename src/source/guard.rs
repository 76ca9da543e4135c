//! A panic inside the Parquet decoder becomes an error.
//!
//! The decoder checks most of what it reads, but some corrupt pages still run into an assertion or an index out of
//! range in it. Such a page must cost its column only, so calls into the decoder are caught here. The message that
//! Rust would print belongs to nobody then, so the panic hook stays silent, on this thread and inside the guarded
//! call only; every other panic is a bug of ours and is reported as usual.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::error::Fault;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}
static HOOK: Once = Once::new();

/// Calls the decoder; a panic in it is a corrupt file.
///
/// The state that `decode` touches is given up by the caller after an error, so nothing half-done is seen.
pub(crate) fn guard<T, E: Into<Fault>>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, Fault> {
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.with(Cell::get) {
                usual(info);
            }
        }));
    });
    let outer = GUARDED.with(|flag| flag.replace(true));
    let outcome = catch_unwind(AssertUnwindSafe(decode));
    GUARDED.with(|flag| flag.set(outer));
    match outcome {
        Ok(result) => result.map_err(Into::into),
        Err(panic) => {
            let words = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(Fault::Corrupt(format!("the decoder gave up ({words})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_words() {
        let outcome: Result<(), Fault> = guard(|| -> Result<(), Fault> { panic!("index {} out of range", 7) });
        assert!(matches!(outcome, Err(Fault::Corrupt(words)) if words.contains("index 7 out of range")));
    }

    #[test]
    fn values_pass_through() {
        assert_eq!(guard(|| Ok::<_, Fault>(3)).unwrap(), 3);
    }
}

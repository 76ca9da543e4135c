//! A failing device changes nothing but the warnings.

mod support;

use gpudrift::backend::fallback::Resilient;
use gpudrift::backend::gpu::GpuOptions;
use gpudrift::backend::{Backend, CountJob, DeviceError};
use gpudrift::counts::{CellMap, Keys};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use support::backends::{Shared, gpu, options, turned_off};
use support::faults::{Fault, Faulty};
use support::{cases, check};

fn faulty(fault: Fault) -> Resilient {
    let calls = Arc::new(AtomicUsize::new(0));
    Resilient::new(move || Ok(Box::new(Faulty::new(fault, &calls)) as Box<dyn Backend>)).expect("opens")
}

/// Every case is answered as if nothing had happened, and the warnings say what did.
fn survives(fault: Fault, warning: &str) {
    let resilient = faulty(fault);
    for case in [cases::sizes(), cases::codes(), cases::jobs()].concat() {
        if let Err(difference) = check(&resilient, &case) {
            panic!("{fault:?}: {difference}");
        }
    }
    let warnings = resilient.warnings();
    assert!(warnings.iter().any(|text| text.contains(warning)), "{fault:?}: {warnings:?}");
    assert!(warnings.len() <= 21, "{} warnings", warnings.len());
}

#[test]
fn out_of_memory_now_and_then_changes_nothing() {
    for every in [2, 3, 5, 7] {
        survives(Fault::OutOfMemoryEvery(every), "out of device memory");
    }
}

#[test]
fn batches_that_do_not_load_are_halved() {
    survives(Fault::LoadsAtMost(300_000), "halved");
    survives(Fault::CountsAtMost(300_000), "halved");
    survives(Fault::SelectsAtMost(300_000), "halved");
}

#[test]
fn what_cannot_be_halved_goes_to_the_cpu() {
    survives(Fault::LoadsAtMost(0), "the CPU counts instead");
}

#[test]
fn a_lost_device_is_opened_again_and_then_given_up() {
    for at in 1..12 {
        survives(Fault::LostAt(at), "device lost");
    }
    survives(Fault::LostInSelect, "the CPU counts instead");
}

#[test]
fn a_device_lost_once_is_used_again() {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let calls = Arc::new(AtomicUsize::new(0));
    let open = move || {
        let first = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let fault = if first { Fault::LostInSelect } else { Fault::LoadsAtMost(usize::MAX) };
        Ok(Box::new(Faulty::new(fault, &calls)) as Box<dyn Backend>)
    };
    let resilient = Resilient::new(open).expect("opens");
    for case in cases::codes() {
        check(&resilient, &case).unwrap();
    }
    assert_eq!(opened.load(std::sync::atomic::Ordering::SeqCst), 2);
    assert_eq!(resilient.warnings().len(), 1, "{:?}", resilient.warnings());
    assert_eq!(resilient.name(), "faulty", "the second device is in use");
}

#[test]
fn what_a_device_does_not_support_goes_to_the_cpu() {
    survives(Fault::Unsupported, "not supported");
    survives(Fault::SelectUnsupported, "not supported");
}

#[test]
fn a_device_that_does_not_open_again_leaves_the_cpu() {
    let opened = AtomicUsize::new(0);
    let calls = Arc::new(AtomicUsize::new(0));
    let open = move || match opened.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Ok(Box::new(Faulty::new(Fault::LostAt(2), &calls)) as Box<dyn Backend>),
        _ => Err(DeviceError::Lost("still gone".into())),
    };
    let resilient = Resilient::new(open).expect("opens the first time");
    for case in cases::codes() {
        check(&resilient, &case).unwrap();
    }
    assert_eq!(resilient.name(), "cpu");
    assert!(resilient.warnings().iter().any(|text| text.contains("did not open again")));
}

#[test]
fn a_device_that_never_opens_is_an_error_at_once() {
    assert!(Resilient::new(|| Err(DeviceError::Lost("not there".into()))).is_err());
}

#[test]
fn a_gpu_with_little_memory_counts_in_halves() {
    if turned_off("a_gpu_with_little_memory_counts_in_halves") {
        return;
    }
    // Room for some columns of the batch at a time, not for all.
    let open = || Ok(Box::new(gpu(GpuOptions { memory_limit: Some(2 << 20), ..options(false) })) as Box<dyn Backend>);
    let resilient = Resilient::new(open).expect("opens");
    let case = &cases::sizes()[0];
    check(&resilient, case).unwrap();
    assert!(resilient.warnings().iter().any(|text| text.contains("halved")), "{:?}", resilient.warnings());
}

/// A GPU that answers nothing, and may be left unanswered for 20 ms.
fn silent() -> Box<dyn Backend> {
    let gpu = gpu(GpuOptions { timeout: Some(Duration::from_millis(20)), ..options(false) });
    gpu.hang();
    Box::new(gpu)
}

#[test]
fn a_gpu_that_never_answers_is_an_error() {
    if turned_off("a_gpu_that_never_answers_is_an_error") {
        return;
    }
    let hung = silent();
    let keys = Keys::U32((0..1000).collect());
    let map = CellMap::identity(1000);
    let answer =
        hung.load(vec![vec![&keys]]).and_then(|mut loaded| loaded.count_cells(&[CountJob { column: 0, map: &map }]));
    match answer {
        Err(DeviceError::Lost(why)) => assert_eq!(why, "no answer within 20ms"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_hung_gpu_leaves_undone_the_cpu_counts() {
    if turned_off("what_a_hung_gpu_leaves_undone_the_cpu_counts") {
        return;
    }
    let resilient = Resilient::new(|| Ok(silent())).expect("opens");
    for case in [cases::sizes(), cases::codes()].concat() {
        check(&resilient, &case).unwrap();
    }
    let hung = "device lost: no answer within 20ms";
    let expected = [format!("{hung}; it is opened again"), format!("{hung}; the CPU counts instead")];
    assert_eq!(resilient.warnings(), expected);
    assert_eq!(resilient.name(), "cpu");
}

#[test]
fn a_gpu_that_hangs_in_the_middle_is_opened_again() {
    if turned_off("a_gpu_that_hangs_in_the_middle_is_opened_again") {
        return;
    }
    let first = Arc::new(gpu(options(false)));
    let handle = Arc::clone(&first);
    let opened = AtomicUsize::new(0);
    let open = move || match opened.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Ok(Box::new(Shared(Arc::clone(&first) as Arc<dyn Backend>)) as Box<dyn Backend>),
        _ => Ok(Box::new(gpu(options(false))) as Box<dyn Backend>),
    };
    let resilient = Resilient::new(open).expect("opens");
    let case = &cases::codes()[0];
    check(&resilient, case).unwrap();
    handle.hang();
    check(&resilient, case).unwrap();
    assert_eq!(resilient.warnings().len(), 1, "{:?}", resilient.warnings());
    assert_eq!(resilient.name(), "gpu");
}

#[test]
fn a_gpu_lost_between_two_questions_is_opened_again() {
    if turned_off("a_gpu_lost_between_two_questions_is_opened_again") {
        return;
    }
    let first = Arc::new(gpu(options(false)));
    let handle = Arc::clone(&first);
    let opened = AtomicUsize::new(0);
    let open = move || match opened.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Ok(Box::new(Shared(Arc::clone(&first) as Arc<dyn Backend>)) as Box<dyn Backend>),
        _ => Ok(Box::new(gpu(options(false))) as Box<dyn Backend>),
    };
    let resilient = Resilient::new(open).expect("opens");
    let case = &cases::codes()[0];
    check(&resilient, case).unwrap();
    handle.lose();
    check(&resilient, case).unwrap();
    assert_eq!(resilient.warnings().len(), 1, "{:?}", resilient.warnings());
    assert_eq!(resilient.name(), "gpu");
}

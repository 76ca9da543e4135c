//! Every backend answers every case as the oracle does, and a backend that does not is noticed.

mod support;

use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::gpu::{GpuOptions, LARGE_WORKGROUP, UploadWay, WORKGROUP};
use gpudrift::backend::{Backend, CountJob, DeviceError, SelectJob};
use gpudrift::counts::{CellMap, Keys};
use proptest::prelude::*;
use support::backends::{FLAWS, Wrong, gpu, options, shared, turned_off};
use support::cases::{self, Spread};
use support::{Case, check};

fn check_all(backend: &dyn Backend, cases: &[Case]) {
    assert!(!cases.is_empty());
    for case in cases {
        if let Err(difference) = check(backend, case) {
            panic!("{difference}");
        }
    }
}

#[test]
fn the_cpu_answers_every_case() {
    check_all(&Cpu, &cases::all());
    check_all(&Cpu, &[cases::many_columns()]);
}

#[test]
fn the_gpu_answers_every_case_with_checks() {
    if !turned_off("the_gpu_answers_every_case_with_checks") {
        check_all(shared(true), &cases::all());
    }
}

#[test]
fn the_gpu_answers_every_case_without_checks() {
    if !turned_off("the_gpu_answers_every_case_without_checks") {
        check_all(shared(false), &cases::all());
    }
}

#[test]
fn the_gpu_takes_more_columns_than_a_dispatch_has_workgroups() {
    if !turned_off("the_gpu_takes_more_columns_than_a_dispatch_has_workgroups") {
        check_all(shared(false), &[cases::many_columns()]);
    }
}

#[test]
fn the_gpu_answers_the_same_in_many_windows_tiles_and_on_the_device_sorted() {
    if turned_off("the_gpu_answers_the_same_in_many_windows_tiles_and_on_the_device_sorted") {
        return;
    }
    let small = |checks| GpuOptions {
        window_bytes: 40_000,
        tile_keys: Some(777),
        sort_on_device_from: Some(1),
        ..options(checks)
    };
    for (checks, upload) in [true, false].into_iter().zip(UploadWay::ALL) {
        let workgroup = Some(if checks { WORKGROUP } else { LARGE_WORKGROUP });
        let gpu = gpu(GpuOptions { upload: Some(upload), workgroup, ..small(checks) });
        check_all(&gpu, &cases::sizes()[5..]);
        check_all(&gpu, &cases::on_the_pivots());
        check_all(&gpu, &cases::jobs());
    }
}

#[test]
fn keys_come_to_the_gpu_by_every_way_it_knows() {
    if turned_off("keys_come_to_the_gpu_by_every_way_it_knows") {
        return;
    }
    for upload in UploadWay::ALL {
        let gpu = gpu(GpuOptions { upload: Some(upload), workgroup: Some(LARGE_WORKGROUP), ..options(true) });
        if gpu.upload_ways().contains(&upload) {
            assert_eq!(gpu.upload_way(), upload);
        }
        check_all(&gpu, &cases::all());
    }
    // The way may change between two batches.
    let gpu = gpu(options(false));
    for &upload in gpu.upload_ways().iter().cycle().take(6) {
        gpu.set_upload_way(upload);
        check_all(&gpu, &cases::codes());
    }
}

#[test]
fn the_gpu_sorts_long_segments_of_both_widths_on_the_device() {
    if turned_off("the_gpu_sorts_long_segments_of_both_widths_on_the_device") {
        return;
    }
    let mut case = Case { name: "long segments".into(), ..Case::default() };
    for (column, (bits, spread)) in
        [(32, Spread::Uniform), (64, Spread::Uniform), (64, Spread::TwoFarModes), (32, Spread::FewValues)]
            .into_iter()
            .enumerate()
    {
        let wide = cases::keys(spread, bits, 60_000, 4);
        case.columns.push(cases::pieces(bits, &wide));
        let map = cases::map_of(&wide[..1000], 2000, column == 2);
        case.selects.push((column, map.clone(), cases::every(&map, 1)));
        case.selects.push((column, map.clone(), cases::every(&map, 2)));
    }
    for checks in [true, false] {
        let gpu = gpu(GpuOptions { sort_on_device_from: Some(1 << 14), ..options(checks) });
        check_all(&gpu, std::slice::from_ref(&case));
    }
    // More tiles than the workgroup that scans a row has threads.
    let wide = cases::keys(Spread::Uniform, 32, 600_000, 8);
    let map = cases::map_of(&wide[..100], 10, false);
    let case = Case {
        name: "more tiles than threads".into(),
        columns: vec![cases::pieces(32, &wide)],
        selects: vec![(0, map.clone(), cases::every(&map, 1))],
        ..Case::default()
    };
    check_all(&gpu(GpuOptions { sort_on_device_from: Some(1 << 14), ..options(false) }), &[case]);
}

#[test]
fn compiled_shaders_are_kept_for_the_next_run_and_never_trusted_when_damaged() {
    if turned_off("compiled_shaders_are_kept_for_the_next_run_and_never_trusted_when_damaged") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let caches = || {
        let files = std::fs::read_dir(folder.path().join("below")).map(|files| files.flatten().collect::<Vec<_>>());
        files.unwrap_or_default().iter().map(std::fs::DirEntry::path).collect::<Vec<_>>()
    };
    let count = || {
        let gpu = gpu(GpuOptions { pipeline_cache: Some(folder.path().join("below")), ..options(false) });
        check_all(&gpu, &cases::codes());
        gpu.summary().features.iter().any(|feature| feature == "PIPELINE_CACHE")
    };
    if !count() {
        assert!(caches().is_empty(), "a device without such a cache writes none");
        return;
    }
    let [file] = &caches()[..] else { panic!("one file a device: {:?}", caches()) };
    let written = std::fs::read(file).unwrap();
    assert!(written.len() > 8);
    count();
    for damaged in [&written[..written.len() / 2], &[0xff; 4096], &[]] {
        std::fs::write(file, damaged).unwrap();
        count();
        assert_ne!(std::fs::read(file).unwrap(), damaged, "the damaged file was replaced");
    }
}

#[test]
fn the_gpu_says_what_it_took() {
    if turned_off("the_gpu_says_what_it_took") {
        return;
    }
    let gpu = gpu(options(false));
    assert_eq!(gpu.timings(), gpudrift::backend::gpu::GpuTimings::default());
    check_all(&gpu, &cases::codes());
    let timings = gpu.timings();
    assert!(timings.upload_ns > 0 && timings.kernel_ns > 0 && timings.readback_ns > 0, "{timings:?}");
}

#[test]
fn too_little_device_memory_is_an_error_that_names_it() {
    if turned_off("too_little_device_memory_is_an_error_that_names_it") {
        return;
    }
    let gpu = gpu(GpuOptions { memory_limit: Some(8 << 20), ..options(false) });
    let large = Keys::U32(vec![7; 4 << 20]);
    assert!(matches!(gpu.load(vec![vec![&large]]), Err(DeviceError::OutOfMemory(_))));
    // What fits is still counted afterwards.
    check_all(&gpu, &cases::codes());
}

#[test]
fn a_lost_device_is_an_error_whenever_it_happens() {
    if turned_off("a_lost_device_is_an_error_whenever_it_happens") {
        return;
    }
    let gpu = gpu(options(false));
    let keys = Keys::U32((0..100_000).collect());
    let map = CellMap::new(0, 99_999, &[], 100, false);
    let wanted = cases::every(&map, 2);
    let mut loaded = gpu.load(vec![vec![&keys]]).unwrap();
    loaded.count_cells(&[CountJob { column: 0, map: &map }]).unwrap();
    gpu.lose();
    let count = loaded.count_cells(&[CountJob { column: 0, map: &map }]);
    assert!(matches!(count, Err(DeviceError::Lost(_))), "{count:?}");
    let select = loaded.select(&[SelectJob { column: 0, map: &map, wanted: &wanted, rows: None }]);
    assert!(matches!(select, Err(DeviceError::Lost(_))), "{select:?}");
    assert!(matches!(gpu.load(vec![vec![&keys]]), Err(DeviceError::Lost(_))));
}

#[test]
fn several_threads_use_one_gpu_at_once() {
    if turned_off("several_threads_use_one_gpu_at_once") {
        return;
    }
    let cases = [cases::codes(), cases::on_the_pivots(), cases::jobs()];
    std::thread::scope(|scope| {
        for case in &cases {
            scope.spawn(|| check_all(shared(false), case));
        }
    });
}

#[test]
fn uploads_from_a_pool_of_threads_do_not_wait_for_each_other_for_ever() {
    if turned_off("uploads_from_a_pool_of_threads_do_not_wait_for_each_other_for_ever") {
        return;
    }
    use rayon::prelude::*;
    let gpu = gpu(options(false));
    let keys = Keys::U32((0..3_000_000).collect());
    let map = CellMap::new(0, 2_999_999, &[], 10, false);
    let totals: Vec<u64> = (0..24)
        .into_par_iter()
        .map(|_| {
            let mut loaded = gpu.load(vec![vec![&keys]]).unwrap();
            loaded.count_cells(&[CountJob { column: 0, map: &map }]).unwrap()[0].total()
        })
        .collect();
    assert_eq!(totals, [3_000_000; 24]);
}

#[test]
fn adapters_say_what_they_are() {
    if turned_off("adapters_say_what_they_are") {
        return;
    }
    let adapters = gpudrift::backend::gpu::adapters(false);
    let first = adapters
        .first()
        .map(gpudrift::backend::gpu::Adapter::summary)
        .expect("an adapter; apt-get install mesa-vulkan-drivers gives a software one");
    let text = first.to_string();
    assert!(text.starts_with(&first.name) && text.contains("largest buffer") && text.contains("driver"), "{text}");
    assert!(first.max_binding_bytes > 0 && first.workgroup_bytes >= 16 << 10, "{first:?}");
    // Where there is nothing but software, `auto` takes the CPU.
    if first.is_software() {
        let refused = gpudrift::backend::gpu::Gpu::open(GpuOptions::default());
        assert!(refused.is_err_and(|error| error.to_string().contains("only software rasterisers")));
    }
}

#[test]
fn wrong_backends_are_noticed() {
    let cases = cases::all();
    assert!(cases.iter().all(|case| check(&Cpu, case).is_ok()), "the checker accepts the right one");
    for flaw in FLAWS {
        let noticed = cases.iter().filter(|case| check(&Wrong(flaw), case).is_err()).count();
        assert!(noticed > 0, "{flaw:?} passes the whole suite");
    }
}

/// A column, the piece that it is cut at, and a map that may or may not suit it.
fn columns() -> impl Strategy<Value = (u32, Vec<u128>, usize, CellMap)> {
    let parts = (0..2_usize, 0..cases::SPREADS.len(), 0..6000_usize, any::<u64>());
    (parts, 0..5000_u32, any::<bool>(), any::<bool>(), 0..=100_usize).prop_map(
        |((width, spread, n, seed), cells, pivots, own, cut)| {
            let bits = [32, 64][width];
            let keys = cases::keys(cases::SPREADS[spread], bits, n, seed);
            let other = cases::keys(Spread::Uniform, bits, 50, seed ^ 1);
            let map = cases::map_of(if own { &keys } else { &other }, cells, pivots);
            let cut = n * cut / 100;
            (bits, keys, cut, map)
        },
    )
}

fn backends() -> Vec<&'static dyn Backend> {
    let mut backends: Vec<&'static dyn Backend> = vec![&Cpu];
    if !turned_off("properties on the GPU") {
        backends.extend([shared(true) as &dyn Backend, shared(false)]);
    }
    backends
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn merged_pieces_equal_the_whole_and_nothing_is_lost((bits, keys, cut, map) in columns()) {
        for backend in backends() {
            let whole = cases::piece(bits, &keys);
            let (a, b) = (cases::piece(bits, &keys[..cut]), cases::piece(bits, &keys[cut..]));
            let mut loaded = backend.load(vec![vec![&whole], vec![&a], vec![&b], vec![&b, &a]]).unwrap();
            let jobs: Vec<_> = (0..4).map(|column| CountJob { column, map: &map }).collect();
            let counts = loaded.count_cells(&jobs).unwrap();
            prop_assert_eq!(counts[0].total(), keys.len() as u64);
            let mut merged = counts[1].clone();
            merged.merge(&counts[2]);
            prop_assert_eq!(&merged, &counts[0], "pieces on {}", backend.name());
            prop_assert_eq!(&counts[3], &counts[0], "another order on {}", backend.name());
        }
    }

    #[test]
    fn selecting_all_sorts_and_selecting_halves_parts((bits, keys, _cut, map) in columns()) {
        for backend in backends() {
            let whole = cases::piece(bits, &keys);
            let all = gpudrift::counts::CellSet::all(map.n_cells());
            let even = cases::every(&map, 2);
            let mut odd = gpudrift::counts::CellSet::none(map.n_cells());
            (1..map.n_cells()).step_by(2).for_each(|cell| odd.insert(cell));
            let mut loaded = backend.load(vec![vec![&whole]]).unwrap();
            let job = |wanted| SelectJob { column: 0, map: &map, wanted, rows: None };
            let found = loaded.select(&[job(&all), job(&even), job(&odd)]).unwrap();
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            prop_assert_eq!(&found[0], &cases::piece(bits, &sorted));
            let mut parts = support::oracle::widened(&found[1..]);
            parts.sort_unstable();
            prop_assert_eq!(parts, sorted);
        }
    }
}

//! What an update costs, and how many streams scale over cores. Run beside River by benches/concept/beside_river.py.
//!
//! ```text
//!     cargo bench --bench concept                       a stream of errors of its own
//!     cargo bench --bench concept -- FILE [DETECTORS]   a stream of little-endian f64; lines `DETECTOR NANOSECONDS`
//!     cargo bench --bench concept -- --streams 2000     ADWIN and DDM on many streams; lines `THREADS NANOSECONDS`
//! ```

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::env;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::time::Instant;

use gpudrift::concept::{Spec, Stream, specs};
use rayon::prelude::*;

const ROUNDS: usize = 7;
const VALUES: u32 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds --bench.
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => one_stream(&errors(1, VALUES), &specs(&["all".to_owned()])?),
        ["--streams", streams] => many_streams(streams.parse()?)?,
        [file, ref detectors @ ..] if detectors.len() < 2 => {
            let bytes = fs::read(file)?;
            let values: Vec<f64> = bytes.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect();
            one_stream(&values, &specs(&[detectors.first().unwrap_or(&"all").to_string()])?);
        }
        _ => return Err("usage: [FILE [DETECTORS] | --streams N]".into()),
    }
    Ok(())
}

/// One error in five.
fn errors(seed: u32, count: u32) -> Vec<f64> {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let draw = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u8::from(state % 5 == 0))
    };
    (0..count).map(draw).collect()
}

/// Seconds of the fastest of some rounds.
fn fastest(mut round: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        round();
        start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(time).fold(f64::INFINITY, f64::min)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn one_stream(values: &[f64], specs: &[Spec]) {
    for spec in specs {
        let seconds = fastest(|| {
            let (mut detector, mut signals) = (spec.build(), 0_u64);
            detector.update_all(black_box(values), &mut |_, _| signals += 1);
            black_box(signals);
        });
        println!("{spec} {:.2}", seconds * 1e9 / values.len() as f64);
    }
}

fn many_streams(streams: u32) -> Result<(), Box<dyn Error>> {
    let specs = specs(&["adwin,ddm".to_owned()])?;
    let values: Vec<Vec<f64>> = (0..streams).map(|seed| errors(seed, 2000)).collect();
    let cores = std::thread::available_parallelism()?.get();
    for threads in (0..).map(|power| 1 << power).take_while(|&threads| threads <= cores) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let seconds = fastest(|| {
            let run = |values: &Vec<f64>| {
                let mut stream = Stream::new(&specs);
                stream.feed(values);
                stream.events().count()
            };
            black_box(pool.install(|| values.par_iter().map(run).sum::<usize>()));
        });
        println!("{threads} {:.2}", seconds * 1e9 / (f64::from(streams) * 2000.0));
    }
    Ok(())
}

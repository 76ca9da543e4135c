//! Concept drift detectors against River 0.26.1 and frouros 0.9.0, tick by tick.
//!
//! tests/golden/concept.json is made by tests/golden/concept.py.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use gpudrift::concept::{DETECTORS, Signal, Spec, detector};
use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

/// The generator of the script: SplitMix64 (Steele, Lea and Flood 2014).
struct SplitMix(u64);

impl SplitMix {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((z ^ (z >> 31)) >> 43).expect("21 bits");
        let rest = u32::try_from(((z ^ (z >> 31)) >> 11) & 0xffff_ffff).expect("32 bits");
        (f64::from(bits) * 4_294_967_296.0 + f64::from(rest)) * 2_f64.powi(-53)
    }
}

fn golden() -> Result<Value, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/concept.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn generated(recipe: &Value) -> Option<Vec<f64>> {
    let mut source = SplitMix(recipe["seed"].as_u64()?);
    let mut values = Vec::new();
    for segment in recipe["segments"].as_array()? {
        let number = |index: usize| segment[index].as_f64();
        for _ in 0..segment[0].as_u64()? {
            values.push(match recipe["kind"].as_str()? {
                "errors" => f64::from(u8::from(source.uniform() < number(1)?)),
                _ => number(1)? + number(2)? * (source.uniform() + source.uniform() + source.uniform()),
            });
        }
    }
    Some(values)
}

fn listed(stream: &Value) -> Option<Vec<f64>> {
    match stream.as_str() {
        Some(digits) => digits.chars().map(|digit| digit.to_digit(10).map(f64::from)).collect(),
        None => stream.as_array()?.iter().map(Value::as_f64).collect(),
    }
}

fn bits(packed: &Value) -> Option<Vec<f64>> {
    let digits: Option<Vec<u32>> = packed["hex"].as_str()?.chars().map(|digit| digit.to_digit(16)).collect();
    let all: Vec<f64> =
        digits?.into_iter().flat_map(|four| (0..4).rev().map(move |bit| f64::from((four >> bit) & 1))).collect();
    let length = usize::try_from(packed["length"].as_u64()?).ok()?;
    Some(all[all.len() - length..].to_vec())
}

fn streams(golden: &Value) -> Option<BTreeMap<String, Vec<f64>>> {
    let mut streams = BTreeMap::new();
    for (group, read) in [("generated", generated as fn(&Value) -> _), ("listed", listed), ("elec2", bits)] {
        for (name, recipe) in golden[group].as_object()? {
            streams.insert(name.clone(), read(recipe)?);
        }
    }
    Some(streams)
}

fn spec(case: &Value) -> Result<Spec, Box<dyn Error>> {
    let card = detector(case["detector"].as_str().ok_or("a name")?).ok_or("a detector of ours")?;
    let mut spec = Spec::of(card);
    for (name, value) in case["settings"].as_object().ok_or("settings")? {
        spec.set(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str())?;
    }
    Ok(spec)
}

/// Runs of consecutive ticks as the script writes them: distance from the end of the one before, length, and so on.
fn runs(ticks: &[u64]) -> Vec<u64> {
    let (mut flat, mut end) = (Vec::new(), 0);
    for &tick in ticks {
        match flat.last_mut() {
            Some(length) if tick == end => *length += 1,
            _ => flat.extend([tick - end, 1]),
        }
        end = tick + 1;
    }
    flat
}

fn whole_numbers(list: &Value) -> Option<Vec<u64>> {
    list.as_array()?.iter().map(Value::as_u64).collect()
}

/// Numbers that go through ln or a power in River may differ in their last bits.
fn is_close(ours: f64, theirs: f64) -> bool {
    ours == theirs || (ours - theirs).abs() <= 4e-16 * theirs.abs()
}

#[test]
fn signals_and_statistics_equal_the_peers_tick_by_tick() -> Outcome {
    let golden = golden()?;
    let streams = streams(&golden).ok_or("streams")?;
    let mut compared: BTreeMap<&str, (usize, usize, usize, usize)> = BTreeMap::new();
    for case in golden["cases"].as_array().ok_or("cases")? {
        let spec = spec(case)?;
        let name = case["stream"].as_str().ok_or("a stream")?;
        let stream = &streams[name];
        let (mut drifts, mut warnings) = (Vec::new(), Vec::new());
        let mut detector = spec.build();
        let mut statistics = case["statistics"].as_array().ok_or("statistics")?.iter();
        let mut next = statistics.next();
        let tally = compared.entry(spec.card().name).or_default();
        for (tick, &value) in (0_u64..).zip(stream) {
            assert!(spec.card().input.takes(value));
            match detector.update(value) {
                Signal::Drift => drifts.push(tick),
                Signal::Warning => warnings.push(tick),
                Signal::None => {}
            }
            if let Some(sample) = next.filter(|sample| sample[0].as_u64() == Some(tick)) {
                let ours: BTreeMap<_, _> = detector.statistics().into_iter().collect();
                for (key, theirs) in sample[1].as_object().ok_or("named numbers")? {
                    let theirs = theirs.as_f64().ok_or("a number")?;
                    assert!(
                        is_close(ours[key.as_str()], theirs),
                        "{spec} {name} {tick} {key}: {} {theirs}",
                        ours[key.as_str()]
                    );
                    tally.3 += 1;
                }
                next = statistics.next();
            }
        }
        assert!(next.is_none(), "{spec} {name}: statistics beyond the end");
        let (mut at_once, mut all) = (spec.build(), 0);
        at_once.update_all(stream, &mut |_, _| all += 1);
        assert_eq!((all, at_once.state()), (drifts.len() + warnings.len(), detector.state()), "{spec} {name} at once");
        for (kind, ticks) in [("drifts", &drifts), ("warnings", &warnings)] {
            let theirs = whole_numbers(&case[kind]).ok_or("ticks")?;
            assert_eq!(runs(ticks), theirs, "{kind} of {spec} on {name}");
        }
        *tally = (tally.0 + 1, tally.1 + drifts.len(), tally.2 + warnings.len(), tally.3);
    }
    for card in DETECTORS {
        let (cases, drifts, warnings, statistics) = compared.get(card.name).copied().unwrap_or_default();
        println!("{}: {cases} cases, {drifts} drifts, {warnings} warnings, {statistics} statistics", card.name);
        assert!(cases >= 10 && drifts >= 8, "{}: {cases} cases, {drifts} drifts", card.name);
        let warns = ["ddm", "eddm", "hddm_a", "hddm_w"].contains(&card.name);
        assert_eq!(warns, warnings > 0, "{}: {warnings} warnings", card.name);
        assert!(card.name == "degradation" || statistics >= 30, "{}: {statistics} statistics", card.name);
    }
    Ok(())
}

#[test]
fn adwin_has_the_known_answers_of_river() -> Outcome {
    let golden = golden()?;
    for (name, expected) in [("river_numpy_12345", vec![1023]), ("river_random_42_four", vec![1023, 2015, 3007])] {
        let stream = listed(&golden["listed"][name]).ok_or("a stream")?;
        let mut drifts = Vec::new();
        let spec: Spec = "adwin".parse()?;
        spec.build().update_all(&stream, &mut |tick, signal| drifts.push((tick, signal)));
        assert_eq!(drifts, expected.iter().map(|&tick| (tick, Signal::Drift)).collect::<Vec<_>>(), "{name}");
    }
    Ok(())
}

//! What holds for every detector: cuts do not matter, wrong states are refused, what was typed is checked.

use gpudrift::concept::{DETECTORS, Input, Signal, Spec, detector, specs};
use proptest::prelude::*;

/// Settings under which a short stream gives many signals.
const EAGER: [&str; 11] = [
    "adwin:delta=0.5:clock=3:min_window_length=1:grace_period=2",
    "adwin:max_buckets=2:clock=1",
    "ddm:warm_start=5:warning_threshold=0.5:drift_threshold=1",
    "eddm:warm_start=3",
    "hddm_a:drift_confidence=0.2:warning_confidence=0.4:two_sided_test=true",
    "hddm_w:drift_confidence=0.3:warning_confidence=0.5:lambda_val=0.2:two_sided_test=true",
    "page_hinkley:min_instances=3:threshold=1",
    "kswin:window_size=12:stat_size=5:alpha=0.4",
    "cusum:lambda=1:min_num_instances=2",
    "degradation:window=7:threshold=0.1",
    "degradation:window=9:baseline=0.4:direction=rise",
];

/// Segments of values in [0, 1] with a rate of their own; errors, or losses.
fn streams() -> impl Strategy<Value = Vec<f64>> {
    let segment = (0.0..1.0_f64, any::<bool>(), proptest::collection::vec(0.0..1.0_f64, 1..120));
    proptest::collection::vec(segment, 1..6).prop_map(|segments| {
        let values = segments.into_iter().flat_map(|(rate, errors, draws)| {
            let value = move |draw: f64| if errors { f64::from(u8::from(draw < rate)) } else { draw * rate };
            draws.into_iter().map(value)
        });
        values.collect()
    })
}

fn all_specs() -> Vec<Spec> {
    let eager = EAGER.iter().map(|text| text.parse().expect("a detector"));
    DETECTORS.into_iter().map(Spec::of).chain(eager).collect()
}

fn signals(spec: &Spec, stream: &[f64]) -> Vec<(usize, Signal)> {
    let (mut detector, mut heard) = (spec.build(), Vec::new());
    detector.update_all(stream, &mut |tick, signal| heard.push((tick, signal)));
    heard
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stream_cut_anywhere_gives_the_answers_of_one_run(
        stream in streams(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        for spec in all_specs() {
            let (mut state, mut heard) = (spec.build().state(), Vec::new());
            for piece in cuts.windows(2) {
                let mut detector = spec.build();
                detector.restore(&state).expect("a state of the same detector");
                prop_assert_eq!(&detector.state(), &state, "{} does not come back as it was", spec);
                detector.update_all(&stream[piece[0]..piece[1]], &mut |tick, signal| heard.push((piece[0] + tick, signal)));
                state = detector.state();
            }
            prop_assert_eq!(heard, signals(&spec, &stream), "{}", spec);
        }
    }

    #[test]
    fn bytes_that_are_no_state_are_refused_or_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..200), flip in any::<prop::sample::Index>()) {
        for spec in all_specs() {
            let mut detector = spec.build();
            let _ = detector.restore(&bytes);
            detector.update_all(&[0.0, 1.0, 1.0, 0.5], &mut |_, _| {});
            let mut state = detector.state();
            let at = flip.index(state.len());
            state[at] ^= 1;
            let mut other = spec.build();
            let _ = other.restore(&state);
            other.update_all(&[0.0, 1.0, 1.0, 0.5], &mut |_, _| {});
        }
    }

    #[test]
    fn extreme_values_do_no_harm(stream in proptest::collection::vec(prop::num::f64::ANY, 0..200)) {
        for spec in all_specs() {
            signals(&spec, &stream);
        }
    }
}

#[test]
fn eager_settings_give_signals() {
    let stream: Vec<f64> = (0..400_u32).map(|tick| f64::from(u8::from(tick * 7 % 10 < 1 + tick / 50))).collect();
    for text in EAGER {
        let spec: Spec = text.parse().expect("a detector");
        assert!(signals(&spec, &stream).iter().any(|(_, signal)| *signal == Signal::Drift), "{text}");
    }
}

#[test]
fn a_reset_detector_is_as_new() {
    for spec in all_specs() {
        let mut detector = spec.build();
        let fresh = detector.state();
        detector.update_all(&[1.0, 0.0, 1.0], &mut |_, _| {});
        assert_ne!(detector.state(), fresh, "{spec}");
        detector.reset();
        assert_eq!(detector.state(), fresh, "{spec}");
    }
}

#[test]
fn a_state_does_not_fit_other_settings() {
    let build = |text: &str| text.parse::<Spec>().expect("a detector").build();
    let mut long = build("degradation:window=50");
    long.update_all(&[1.0; 50], &mut |_, _| {});
    let error = build("degradation:window=10").restore(&long.state()).unwrap_err();
    assert_eq!(error.to_string(), "these bytes are no state of degradation: it does not fit the settings");
    assert!(build("ddm").restore(&build("adwin").state()).is_err());
}

#[test]
fn every_card_is_complete_and_its_defaults_are_in_range() {
    let mut names = Vec::new();
    for card in DETECTORS {
        names.push(card.name);
        assert_eq!(detector(card.name).map(|found| found.title), Some(card.title));
        assert!(!card.about.is_empty() && !card.source.is_empty() && !card.parameters.is_empty(), "{}", card.name);
        assert!(card.name.parse::<Spec>().is_ok(), "the defaults of {} go together", card.name);
        let mut spec = Spec::of(card);
        for parameter in card.parameters {
            let default = parameter.default.to_string();
            if default != "unset" {
                spec.set(parameter.name, &default).unwrap();
            }
        }
        assert_eq!(spec.settings(), Spec::of(card).settings(), "{}: a default that reads back differently", card.name);
        assert!(card.input.takes(0.0) && card.input.takes(1.0) && !card.input.takes(f64::NAN));
        assert_eq!(card.input.takes(2.0), card.input == Input::Real);
    }
    names.dedup();
    assert_eq!(names.len(), 9);
}

#[test]
fn mistakes_say_what_may_have_been_meant() {
    let message = |text: &str| text.parse::<Spec>().unwrap_err().to_string();
    assert_eq!(
        message("adwim"),
        "there is no detector `adwim`; did you mean adwin?; `gpudrift concept list` shows all of them"
    );
    assert_eq!(
        message("ddm:warmstart=3"),
        "ddm has no parameter `warmstart`; did you mean warm_start?; it takes warm_start, warning_threshold, drift_threshold"
    );
    assert_eq!(message("adwin:delta=2"), "adwin: delta is 2, but must be a number above 0 and below 1");
    assert_eq!(message("adwin:clock=1.5"), "adwin: clock is 1.5, but must be a whole number from 1 to 2147483648");
    assert_eq!(message("ddm:50"), "`50` is not parameter=value; type ddm:warm_start=30");
    assert_eq!(message("cusum:delta=0.1:delta=0.2"), "cusum is given delta twice");
    assert_eq!(
        message("page_hinkley:mode=sideways"),
        "page_hinkley: mode is sideways, but must be one of up, down, both"
    );
    assert_eq!(message("eddm:alpha=0.5"), "eddm: alpha (0.5) must not be below beta (0.9)");
    assert_eq!(message("kswin:stat_size=60"), "kswin: stat_size (60) must be at most half of window_size (100)");
    assert!(message("degradation:baseline=inf").contains("must be a number"));
}

#[test]
fn several_detectors_are_split_at_commas() {
    let names = |typed: &[&str]| {
        let typed: Vec<String> = typed.iter().map(|text| (*text).to_owned()).collect();
        specs(&typed).map(|specs| specs.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(
        names(&["adwin, ddm:warm_start=50", "ddm:warm_start=30"]).unwrap(),
        ["adwin", "ddm:warm_start=50", "ddm"]
    );
    assert_eq!(names(&["all"]).unwrap().len(), 9);
    assert_eq!(names(&["all,adwin"]).unwrap_err().to_string(), "adwin is asked for twice");
}

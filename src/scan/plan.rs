//! What is read for which report: samples, and the columns that are decoded once for all of them.

use super::ScanError;
use super::context::{Reading, Task};
use super::matching::{Matched, Pair, match_features};
use super::parts::{Cut, Parts, PartsError, Segment, Segments, Survey, files_of};
use crate::column::Encoding;
use crate::config::{Comparison, ScanConfig, Settings, View};
use crate::profile::Profile;
use crate::report::Skipped;
use crate::source::{Dataset, OpenOptions, SourceColumn, read_weights};
use crate::window::partition::FolderTime;
use crate::window::{Compare, Slices, Window};
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap, HashSet};

/// One report to make.
#[derive(Clone, Debug)]
pub(super) struct Night {
    pub(super) config: ScanConfig,
    /// What is compared with what, the one that decides first; at least one.
    pub(super) comparisons: Vec<Comparison>,
}

impl Night {
    /// The report that `config` asks for.
    pub(super) fn new(mut config: ScanConfig) -> Result<Self, ScanError> {
        let as_of = config.windows.night();
        if config.windows.reference.is_some() || config.windows.current.is_some() {
            // So that the report says of which night it is.
            config.windows.as_of = Some(as_of);
        }
        let comparisons = config.windows.comparisons(as_of, config.has_one_source()).map_err(PartsError::from)?;
        Ok(Self { config, comparisons })
    }
}

/// The data sets: one, or one a side.
pub(super) struct Sources {
    pub(super) data: Vec<Dataset>,
    /// Stands for the reference, whose data set has no files then.
    pub(super) profile: Option<Profile>,
}

/// Names of the sides, for messages.
const SIDES: [&str; 2] = ["reference", "current"];

impl Sources {
    /// Opens the data that all `nights` need.
    pub(super) fn open(nights: &[Night]) -> Result<Self, ScanError> {
        let config = &nights[0].config;
        let windows = &config.windows;
        let statistics_of = windows.timestamp.first().filter(|_| windows.timestamp.len() == 1).cloned();
        let names = config.view.as_ref().map(View::names).unwrap_or_default();
        let options = OpenOptions { skip_bad_files: config.skip_bad_files, statistics_of, names };
        let folders =
            FolderTime::new(if windows.time_folders.is_empty() { &windows.timestamp } else { &windows.time_folders });
        let open = |cut: usize, paths: &[String]| {
            let wanted = windows_of(nights, cut);
            let keep = |partition: &[(String, Option<String>)]| match &wanted {
                // What is no time is an error later, with its file.
                Some(wanted) if !folders.keys().is_empty() && folders.is_in(partition) => folders
                    .span(partition)
                    .map_or(true, |span| span.is_none_or(|span| wanted.iter().any(|window| span.is_near(window)))),
                _ => true,
            };
            let side = SIDES[cut];
            Dataset::open_some(paths, &options, &keep).map_err(|source| ScanError::Source { side, source })
        };
        if config.has_one_source() {
            return Ok(Self { data: vec![open(0, &config.reference)?], profile: None });
        }
        let profile = config.profile.as_deref().map(Profile::open).transpose()?;
        let reference = || match &profile {
            Some(profile) => Ok(Dataset::of_columns(profile.columns().to_vec())),
            None => open(0, &config.reference),
        };
        let (reference, current) = rayon::join(reference, || open(1, &config.current));
        Ok(Self { data: vec![reference?, current?], profile })
    }
}

/// The cuts that reference and current of a comparison are samples of.
fn cuts_of(comparison: &Comparison, one_source: bool) -> [usize; 2] {
    match (one_source, comparison.with) {
        (true, _) => [0, 0],
        (false, Compare::Reference) => [0, 1],
        // The window before the current one is in the data of current.
        (false, Compare::Previous | Compare::SameWeekday | Compare::LastYear) => [1, 1],
    }
}

fn sides(comparison: &Comparison) -> [Option<&Window>; 2] {
    [comparison.reference.as_ref(), comparison.current.as_ref()]
}

/// The windows that are read of a cut; `None` where everything is.
fn windows_of(nights: &[Night], cut: usize) -> Option<Vec<Window>> {
    let mut windows = Vec::new();
    for night in nights {
        for comparison in &night.comparisons {
            let cuts = cuts_of(comparison, night.config.has_one_source());
            for (window, _) in sides(comparison).into_iter().zip(cuts).filter(|(_, of)| *of == cut) {
                windows.push(window?.clone());
            }
            if cuts[0] == cut {
                windows.extend(splits(night, comparison));
            }
        }
    }
    Some(windows)
}

/// Most windows of the reference that limits are learned from: the days of a year, and some.
const MOST_SPLITS: u32 = 400;

/// The windows of the reference that limits are learned from, of the length of the current window.
fn splits(night: &Night, comparison: &Comparison) -> Vec<Window> {
    match sides(comparison) {
        [Some(reference), Some(current)] if night.config.calibrates() => reference.pieces_like(current, MOST_SPLITS),
        _ => Vec::new(),
    }
}

/// A comparison of a night, ready to be counted.
pub(super) struct Planned {
    /// Number of its features.
    pub(super) tasks: usize,
    /// Samples of reference and current.
    pub(super) samples: [usize; 2],
    /// The data sets that they are of.
    pub(super) cuts: [usize; 2],
    pub(super) skipped: Vec<Skipped>,
    /// Features that only the reference has, and only current.
    pub(super) one_sided: [Vec<String>; 2],
    pub(super) named: HashSet<String>,
    pub(super) warnings: Vec<String>,
    pub(super) segments: Vec<Segment>,
    /// Segments beyond the limit.
    pub(super) left_out: Vec<Segment>,
}

/// Everything that some nights need.
pub(super) struct Plan<'d> {
    pub(super) parts: Parts<'d>,
    pub(super) surveys: Vec<Survey>,
    /// Importance of features, where a file gives it.
    weights: Option<HashMap<String, f64>>,
    pub(super) readings: Vec<Reading>,
    /// Of each night, of each of its comparisons.
    pub(super) planned: Vec<Vec<Planned>>,
}

impl<'d> Plan<'d> {
    /// Surveys the data and plans `nights`. Maps of rows take at most `memory` bytes.
    pub(super) fn new(
        nights: &[Night],
        sources: &'d Sources,
        segments: &'d Segments,
        memory: usize,
    ) -> Result<Self, ScanError> {
        let config = &nights[0].config;
        let column = config.weights_column.as_deref();
        let weights = config.weights.as_deref().map(|file| read_weights(file, column)).transpose()?;
        let (mut cuts, mut surveys) = (Vec::new(), Vec::new());
        for (index, data) in sources.data.iter().enumerate() {
            let windows = windows_of(nights, index).unwrap_or_default();
            let slices = Slices::of(windows.iter());
            let (cut, survey) =
                Cut::survey(data, SIDES[index], slices, segments, &config.windows, memory / sources.data.len())?;
            cuts.push(cut);
            surveys.push(survey);
        }
        let mut chosen = BTreeSet::new();
        let mut of_nights = Vec::new();
        for comparison in nights.iter().flat_map(|night| &night.comparisons) {
            let of = cuts_of(comparison, config.has_one_source());
            let [reference, current] = [0, 1].map(|side| {
                let range = cuts[of[side]].slices_of(sides(comparison)[side]);
                (&surveys[of[side]], range)
            });
            let found = match config.windows.segment_by.is_empty() {
                true => (Vec::new(), Vec::new()),
                false => segments.largest([reference, current], config.windows.max_segments),
            };
            chosen.extend(found.0.iter().map(|segment| segment.code));
            of_nights.push(found);
        }
        let mut first_atom = 0;
        for cut in &mut cuts {
            cut.fix(first_atom, &chosen);
            first_atom += cut.atoms();
        }
        let mut plan = Self { parts: Parts::new(cuts), surveys, weights, readings: Vec::new(), planned: Vec::new() };
        let mut readings = IndexMap::new();
        let (mut of_nights, mut index) = (of_nights.into_iter(), 0);
        for night in nights {
            let mut planned = Vec::new();
            for comparison in &night.comparisons {
                let (segments, left_out) = of_nights.next().unwrap_or_default();
                planned.push(plan.comparison(night, comparison, index, segments, left_out, &mut readings)?);
                index += 1;
            }
            plan.planned.push(planned);
        }
        plan.readings = readings.into_values().collect();
        let atoms = plan.parts.atoms();
        for reading in &mut plan.readings {
            reading.atoms = vec![false; atoms];
            for &atom in reading.tasks.iter().flat_map(|task| task.samples).flat_map(|of| &plan.parts.samples[of].atoms)
            {
                reading.atoms[atom] = true;
            }
        }
        Ok(plan)
    }

    fn comparison(
        &mut self,
        night: &Night,
        comparison: &Comparison,
        index: usize,
        segments: Vec<Segment>,
        left_out: Vec<Segment>,
        readings: &mut IndexMap<(String, Encoding), Reading>,
    ) -> Result<Planned, ScanError> {
        let config = &night.config;
        let cuts = cuts_of(comparison, config.has_one_source());
        let windows = sides(comparison);
        let samples = [0, 1].map(|side| self.parts.sample(cuts[side], windows[side], None));
        let columns = [0, 1].map(|side| self.columns(cuts[side], windows[side], samples[side]));
        let mut matched = match_features([columns[0].as_slice(), columns[1].as_slice()], config)?;
        if let (Some(weights), Some(file)) = (&self.weights, &config.weights) {
            matched.weigh(weights, file);
        }
        let Matched { pairs, skipped, one_sided, named, warnings } = matched;
        let split = splits(night, comparison);
        let splits_of = |parts: &mut Parts<'_>, segment: Option<u32>| -> Vec<usize> {
            let samples = split.iter().map(|window| parts.sample(cuts[0], Some(window), segment));
            let samples: Vec<usize> = samples.collect();
            samples.into_iter().filter(|&sample| parts.samples[sample].rows > 0).collect()
        };
        let calibrated = |settings: &Settings| settings.thresholds(&config.thresholds).calibration.calibrated;
        let of_task =
            |settings: &Settings, splits: &[usize]| if calibrated(settings) { splits.to_vec() } else { Vec::new() };
        let mut tasks = 0;
        let mut add = |name: &String, task: Task, parts: &Parts<'_>| {
            let (encoding, kind) = (task.pairing.encoding, task.pairing.kind);
            let reading = readings.entry((name.clone(), encoding)).or_insert_with(|| {
                let columns = [None, None];
                Reading { columns, encoding, kind, stored: None, tasks: Vec::new(), atoms: Vec::new() }
            });
            for cut in cuts {
                reading.columns[cut] = parts.cuts[cut].data.column(name);
            }
            if config.profile.is_some() && cuts[0] == 0 {
                reading.stored = Some(task.samples[0]);
            }
            reading.tasks.push(task);
            tasks += 1;
        };
        let mut order = 0..;
        let whole = splits_of(&mut self.parts, None);
        for Pair { name, pairing, settings, declared } in &pairs {
            let task = Task {
                name: name.clone(),
                segment: None,
                pairing: pairing.clone(),
                settings: settings.clone(),
                declared: declared.clone(),
                samples,
                splits: of_task(settings, &whole),
                comparison: index,
                order: order.next().unwrap_or_default(),
            };
            add(name, task, &self.parts);
        }
        let by = &config.windows.segment_by;
        for segment in &segments {
            let samples = [0, 1].map(|side| self.parts.sample(cuts[side], windows[side], Some(segment.code)));
            let own = splits_of(&mut self.parts, Some(segment.code));
            for Pair { name, pairing, settings, declared } in pairs.iter().filter(|pair| !by.contains(&pair.name)) {
                let task = Task {
                    name: format!("{name}{{{}}}", segment.name(by)),
                    segment: Some(segment.fields(by)),
                    pairing: pairing.clone(),
                    settings: settings.clone(),
                    declared: declared.clone(),
                    samples,
                    splits: of_task(settings, &own),
                    comparison: index,
                    order: order.next().unwrap_or_default(),
                };
                add(name, task, &self.parts);
            }
        }
        Ok(Planned { tasks, samples, cuts, skipped, one_sided, named, warnings, segments, left_out })
    }

    /// The columns of the files that hold rows of a sample. Of an empty one, all: what is not there has no other type.
    fn columns(&self, cut: usize, window: Option<&Window>, sample: usize) -> Vec<SourceColumn> {
        let (cut, sample) = (&self.parts.cuts[cut], &self.parts.samples[sample]);
        if window.is_none() || sample.rows == 0 {
            return cut.data.columns().to_vec();
        }
        cut.data.columns_in(&files_of(cut.data, cut, sample))
    }
}

//! From planned nights to their reports.

use super::ScanError;
use super::context::{Clock, Context, Counting, Failure, Wanted};
use super::evaluate::{self, Concluded, Evaluated};
use super::freshness;
use super::memory::{Memory, Pool};
use super::parts::{Segments, files_of};
use super::plan::{Night, Plan, Planned, Sources};
use super::saving::{SavedSide, Saving};
use super::work;
use crate::backend::Backend;
use crate::column::FactsLevel;
use crate::config::{Comparison, FactsChoice, ScanConfig};
use crate::metric::{METRICS, Needs};
use crate::profile::ProfileError;
use crate::progress::Progress;
use crate::quality::{self, Finding, RunSides};
use crate::report::{
    ComparisonReport, Input, Report, Run, SegmentRows, SegmentsReport, SelectionReport, SkipCause, Skipped,
    SkippedFile, WindowReport,
};
use crate::window::Window;
use std::time::{Duration, Instant};

/// Memory that the report of one feature takes, about.
const REPORT_BYTES: usize = 8 << 10;
/// Memory of the facts of one comparison while a feature is counted.
const FACTS_BYTES: usize = 256 << 10;

/// The data of some nights, with their footers read.
pub(super) struct Opened {
    sources: Sources,
    start: Instant,
    spent: Duration,
}

impl Opened {
    /// Reads the footers.
    pub(super) fn new(nights: &[Night]) -> Result<Self, ScanError> {
        let start = Instant::now();
        let sources = Sources::open(nights)?;
        Ok(Self { sources, start, spent: start.elapsed() })
    }
}

/// Makes the report of every night in one pass over the data, or in as few as the memory allows, and hands them on in
/// order; with `save`, of one night, the current side, too. The time spent reading and counting.
pub(super) fn run(
    nights: &[Night],
    data: Opened,
    backend: &dyn Backend,
    progress: &dyn Progress,
    counting: Counting,
    save: bool,
    each: &mut dyn FnMut(Report) -> Result<(), ScanError>,
) -> Result<Made, ScanError> {
    let Opened { sources, start, spent: opened } = data;
    let config = &nights[0].config;
    let limit = usize::try_from(config.memory_limit).unwrap_or(usize::MAX);
    let columns = sources.data.iter().map(|data| data.columns().len()).max().unwrap_or(0);
    let a_night = columns * REPORT_BYTES + config.threads * FACTS_BYTES;
    let mut made = Made::default();
    for nights in nights.chunks((limit / 4 / a_night.max(1)).max(1)) {
        let pass = Pass { nights, sources: &sources, backend, progress, counting, save, start, opened };
        let of_pass = pass.run(each)?;
        made = Made { counted: made.counted + of_pass.counted, saved: of_pass.saved };
    }
    Ok(made)
}

/// What is made beside the reports.
#[derive(Default)]
pub(super) struct Made {
    /// Time spent reading and counting.
    pub(super) counted: Duration,
    /// The current side, where it was to be saved.
    pub(super) saved: Option<SavedSide>,
}

/// Some nights that are made together.
struct Pass<'p> {
    nights: &'p [Night],
    sources: &'p Sources,
    backend: &'p dyn Backend,
    progress: &'p dyn Progress,
    counting: Counting,
    save: bool,
    start: Instant,
    opened: Duration,
}

impl Pass<'_> {
    fn run(&self, each: &mut dyn FnMut(Report) -> Result<(), ScanError>) -> Result<Made, ScanError> {
        let config = &self.nights[0].config;
        let runs: Vec<Run> = self.nights.iter().map(|night| Run::start(night.config.clone())).collect();
        let planning = Instant::now();
        let segments = Segments::default();
        let memory = Memory::new(usize::try_from(config.memory_limit).unwrap_or(usize::MAX), config.threads);
        let mut plan = Plan::new(self.nights, self.sources, &segments, memory.row_maps())?;
        let surveyed = planning.elapsed();
        let first = plan.planned.first().zip(self.nights.first()).filter(|_| self.save);
        let first = first.and_then(|(planned, night)| planned.first().zip(night.comparisons.first()));
        let saving = first.map(|(planned, comparison)| {
            let whole = comparison.current.is_none() && !config.has_one_source();
            Saving::new(&plan.parts, &plan.readings, planned, whole, config.memory_limit)
        });
        let context = Context {
            parts: &plan.parts,
            profile: self.sources.profile.as_ref(),
            backend: self.backend,
            memory,
            threads: config.threads,
            pool: Pool::default(),
            facts: if config.facts == FactsChoice::Full { FactsLevel::Full } else { FactsLevel::Basic },
            wanted: wanted(config, self.counting),
            config,
            progress: self.progress,
            clock: Clock::default(),
            saving: saving.transpose()?,
        };
        self.progress.start(plan.readings.len() as u64, context.rows());
        let counting = Instant::now();
        let answers = work::count(&context, &plan.readings);
        let counted = counting.elapsed();
        // Not a fault of the data: the profile was built so that it cannot answer what is asked.
        let answers = answers.into_iter().map(|answer| match answer {
            Err(Failure::Profile(error @ ProfileError::Unanswered { .. })) => Err(ScanError::Profile(error)),
            answer => Ok(answer),
        });
        let answers = answers.collect::<Result<Vec<_>, _>>()?;
        let spent = [context.clock.decode.spent(), context.clock.count.spent()];
        let saved = context.saving.map(Saving::finish);

        let comparisons = plan.planned.iter().flatten();
        let mut features: Vec<Vec<Option<Evaluated>>> =
            comparisons.map(|planned| (0..planned.tasks).map(|_| None).collect()).collect();
        let mut failed: Vec<Vec<Skipped>> = features.iter().map(|_| Vec::new()).collect();
        let mut named = plan.planned.iter().flatten().map(|planned| &planned.named).collect::<Vec<_>>();
        for (reading, answer) in plan.readings.iter().zip(answers) {
            match answer {
                Ok(evaluated) => {
                    for (task, evaluated) in reading.tasks.iter().zip(evaluated) {
                        features[task.comparison][task.order] = Some(evaluated);
                    }
                }
                Err(failure) => {
                    for task in &reading.tasks {
                        failed[task.comparison].push(Skipped {
                            name: task.name.clone(),
                            reason: failure.to_string(),
                            cause: SkipCause::Unreadable,
                            named: named[task.comparison].contains(&task.name),
                        });
                    }
                }
            }
        }
        named.clear();
        self.progress.finish();
        let mut found = features.into_iter().zip(failed);
        let all: Vec<Vec<Planned>> = std::mem::take(&mut plan.planned);
        for ((night, planned), mut run) in self.nights.iter().zip(all).zip(runs) {
            let mut reports = Vec::new();
            for (comparison, mut planned) in night.comparisons.iter().zip(planned) {
                let (features, failed) = found.next().unwrap_or_default();
                planned.skipped.extend(failed);
                let concluded = evaluate::conclude(features.into_iter().flatten().collect(), &night.config);
                if reports.is_empty() {
                    self.describe(&mut run, &plan, comparison, &planned, &night.config);
                }
                run.warnings.append(&mut planned.warnings);
                reports.push((comparison, concluded, planned));
            }
            run.warnings.splice(0..0, night.config.warnings());
            run.warnings.extend(self.backend.warnings());
            run.backend = self.backend.name().to_owned();
            run.device = self.backend.device();
            run.duration_seconds = self.start.elapsed().as_secs_f64();
            let evaluated = self.start.elapsed().saturating_sub(self.opened + surveyed + counted);
            let stages = [
                ("open", self.opened),
                ("survey", surveyed),
                ("decode", spent[0]),
                ("count", spent[1]),
                ("read and count", counted),
                ("evaluate", evaluated),
            ];
            run.timings = stages.into_iter().map(|(stage, spent)| (stage.to_owned(), spent.as_secs_f64())).collect();
            let mut reports = reports.into_iter();
            let Some((comparison, concluded, planned)) = reports.next() else { continue };
            let current = planned.cuts[1];
            let slices = plan.parts.cuts[current].slices_of(comparison.current.as_ref());
            let (findings, blind) = findings(&concluded, &planned, &run, plan.surveys[current].repeats(slices));
            run.blind_checks = blind;
            let mut report = Report::new(run, concluded.features, planned.skipped).with_findings(findings);
            report.comparisons = reports
                .map(|(comparison, concluded, planned)| {
                    let windows = [&comparison.reference, &comparison.current];
                    let [reference, current] = windows.map(|window| window.as_ref().map(window_report));
                    let Concluded { features, .. } = concluded;
                    ComparisonReport::new(comparison.with, reference, current, features, planned.skipped)
                })
                .collect();
            each(report)?;
        }
        Ok(Made { counted, saved })
    }

    /// Says under `run` what was read for a night.
    fn describe(
        &self,
        run: &mut Run,
        plan: &Plan<'_>,
        comparison: &Comparison,
        planned: &Planned,
        config: &ScanConfig,
    ) {
        let windows = [&comparison.reference, &comparison.current];
        let input = |side: usize, paths: &[String]| {
            let (cut, sample) = (&plan.parts.cuts[planned.cuts[side]], &plan.parts.samples[planned.samples[side]]);
            let files = match windows[side] {
                Some(_) => files_of(cut.data, cut, sample).into_iter().filter(|&used| used).count(),
                None => cut.data.files().len(),
            };
            let skipped = |(path, reason): &(std::path::PathBuf, String)| SkippedFile {
                path: path.display().to_string(),
                reason: reason.clone(),
            };
            Input {
                paths: paths.to_vec(),
                files: files as u64,
                rows: sample.rows,
                window: windows[side].as_ref().map(window_report),
                skipped_files: cut.data.bad_files().iter().map(skipped).collect(),
            }
        };
        run.reference = match (&config.profile, &self.sources.profile) {
            (Some(path), Some(profile)) if planned.cuts[0] == 0 => Input {
                paths: vec![path.display().to_string()],
                files: 1,
                rows: profile.rows(),
                window: None,
                skipped_files: Vec::new(),
            },
            _ => input(0, &config.reference),
        };
        run.current = input(1, &config.current);
        if config.windows.is_off() {
            return;
        }
        run.selection = plan
            .parts
            .cuts
            .iter()
            .zip(&plan.surveys)
            .map(|(cut, survey)| {
                let files: std::collections::BTreeSet<usize> = cut.units.iter().map(|unit| unit.unit.file).collect();
                let whole = cut.units.iter().filter(|unit| unit.whole().is_some()).count() as u64;
                SelectionReport {
                    files: cut.data.files().len() as u64 + cut.data.unopened(),
                    files_unopened: cut.data.unopened(),
                    files_read: files.len() as u64,
                    row_groups: cut.data.units().len() as u64,
                    row_groups_read: cut.units.len() as u64,
                    row_groups_whole: whole,
                    rows: cut.data.rows(),
                    rows_read: cut.units.iter().map(|unit| unit.rows_read()).sum(),
                    rows_without_time: survey.nulls,
                    rows_replaced: survey.replaced,
                }
            })
            .collect();
        let nulls: u64 = plan.surveys.iter().map(|survey| survey.nulls).sum();
        if nulls > 0 {
            let column = config.windows.timestamp.join(",");
            run.warnings.push(format!("{nulls} rows have no {column}: they are in no window"));
        }
        if !config.windows.segment_by.is_empty() {
            let rows = |segment: &super::parts::Segment| SegmentRows {
                segment: segment.fields(&config.windows.segment_by),
                rows: segment.rows,
            };
            run.segments = Some(SegmentsReport {
                by: config.windows.segment_by.clone(),
                scanned: planned.segments.iter().map(rows).collect(),
                left_out: planned.left_out.len() as u64,
                left_out_rows: planned.left_out.iter().map(|segment| segment.rows).sum(),
            });
            if !planned.left_out.is_empty() {
                run.warnings.push(format!(
                    "{} of {} segments are left out, the smallest ones: --max-segments is {}",
                    planned.left_out.len(),
                    planned.left_out.len() + planned.segments.len(),
                    config.windows.max_segments
                ));
            }
        }
        if let Some(window) = &comparison.current {
            let (cut, survey) = (planned.cuts[1], &plan.surveys[planned.cuts[1]]);
            let (cut, rows) = (&plan.parts.cuts[cut], run.current.rows);
            let (found, warnings) = freshness::look(cut, survey, window, rows, &config.windows);
            run.freshness = Some(found);
            run.warnings.extend(warnings);
        }
        if let Some(reference) = comparison.reference.as_ref().filter(|_| run.reference.rows == 0) {
            run.warnings.push(format!("the reference window {} ({}) has no rows", reference.name, span(reference)));
        }
    }
}

/// What the checks found, about the whole run first, and those that could tell nothing about it.
fn findings(concluded: &Concluded, planned: &Planned, run: &Run, repeats: u64) -> (Vec<Finding>, Vec<String>) {
    let incomparable = planned.skipped.iter().filter(|one| one.cause == SkipCause::Incomparable);
    let sides = RunSides {
        rows: [run.reference.rows, run.current.rows],
        one_sided: [0, 1].map(|side| planned.one_sided[side].iter().map(String::as_str).collect()),
        incomparable: incomparable.map(|one| one.name.as_str()).collect(),
        compared: concluded.features.len(),
        frozen: concluded.frozen,
        repeats,
        freshness: run.freshness.as_ref(),
    };
    let mut findings = quality::of_run(&sides);
    findings.extend(concluded.findings.iter().cloned());
    (findings, quality::blind(&sides))
}

pub(super) fn span(window: &Window) -> String {
    format!("{} to {}", window.start.to_rfc3339(), window.end.to_rfc3339())
}

fn window_report(window: &Window) -> WindowReport {
    WindowReport { name: window.name.clone(), start: window.start.to_rfc3339(), end: window.end.to_rfc3339() }
}

fn wanted(config: &ScanConfig, counting: Counting) -> Wanted {
    let needs =
        |needs: Needs| METRICS.iter().any(|metric| config.wants(metric.card().name) && metric.card().needs == needs);
    Wanted {
        gap: needs(Needs::Gap),
        bins: needs(Needs::Table).then(|| u32::try_from(config.psi_bins).unwrap_or(u32::MAX)),
        quantiles: config.facts == FactsChoice::Full,
        everything: needs(Needs::Everything),
        max_categories: config.max_categories,
        counting,
    }
}

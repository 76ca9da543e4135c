//! Defaults, file and flags become one configuration.

use std::path::PathBuf;

use super::document::KeyPath;
use super::rules::{Layer, Rank};
use super::settings::Settings;
use super::sink::SinkConfig;
use super::{
    ConfigError, JobConfig, Names, OutputConfig, Rules, ScanConfig, ScanOptions, Sections, check, select, sink, windows,
};
use crate::metric::{Card, METRICS};
use crate::report::SINKS;
use crate::verdict::Thresholds;

/// Everything that is asked for: the scan, what becomes of its report, and the other sections of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// Name of the job in the file, where it has jobs.
    pub job: Option<String>,
    /// What decides about the numbers.
    pub scan: ScanConfig,
    /// What becomes of the report.
    pub output: OutputConfig,
    /// The sections of the file as they were written, those of the job over the shared ones.
    pub sections: Sections,
}

/// The configuration that flags, and a job of a file, amount to.
///
/// # Errors
/// When a side has no path, or a value is out of its range.
pub fn resolve(flags: ScanOptions, job: Option<JobConfig>) -> Result<Resolved, ConfigError> {
    let typed = flags.clone();
    let sections = job.as_ref().map(|job| job.sections.clone()).unwrap_or_default();
    let mut options = flags.or(sections.scan.clone());
    let Data { reference, profile, current, one_source } = Data::of(&mut options, &sections, job.as_ref())?;
    let windows = windows::resolve(&mut options, one_source, profile.as_deref());
    let windows = windows.map_err(|error| with_line(error, &typed, job.as_ref()))?;
    let output = output(&typed, &options, &sections)?;
    let mut rules = job.as_ref().map(|job| job.rules.clone()).unwrap_or_default();
    if !rules.is_empty() {
        rules.0.extend(typed_layers(&typed));
    }
    let config = ScanConfig { reference, profile, current, windows, ..scan_config(options, rules)? };
    check::check(&config).map_err(|error| with_line(error, &typed, job.as_ref()))?;
    Ok(Resolved { job: job.and_then(|job| job.name), scan: config, output, sections })
}

/// What a job says about a scan apart from its data.
pub(super) fn without_data(job: &JobConfig) -> Result<ScanConfig, ConfigError> {
    let located = |error| with_line(error, &ScanOptions::default(), Some(job));
    let mut options = job.sections.scan.clone();
    let Sections { source, reference, .. } = &job.sections;
    if source.feast.is_some() {
        // A feature store says which column it is.
        options.timestamp.get_or_insert_with(|| vec![Names(vec!["event_timestamp".to_owned()])]);
    }
    let windows = windows::resolve(&mut options, source.is_given(), reference.profile.as_deref());
    let config = ScanConfig { windows: windows.map_err(located)?, ..scan_config(options, job.rules.clone())? };
    check::check(&config).map_err(located)?;
    Ok(config)
}

/// Where both sides lie.
struct Data {
    reference: Vec<String>,
    profile: Option<PathBuf>,
    current: Vec<String>,
    /// Whether both are the same data, told apart by windows.
    one_source: bool,
}

impl Data {
    /// What was typed; and for what was not, what the file says.
    fn of(options: &mut ScanOptions, sections: &Sections, job: Option<&JobConfig>) -> Result<Self, ConfigError> {
        let typed = [options.reference.take(), options.current.take(), options.source.take()];
        let [reference, current, source] = typed.map(|paths| paths.filter(|paths| !paths.is_empty()));
        let profile = options.profile.take();
        let in_file = |paths: &Option<Vec<String>>| paths.clone().filter(|paths| !paths.is_empty());
        let sides = reference.is_some() || profile.is_some() || current.is_some();
        if let (Some(source), true) = (&source, sides) {
            let expected = "it is both sides: leave out --reference, --profile and --current".to_owned();
            return Err(ConfigError::Value { key: "source", value: source.join(", "), expected });
        }
        if let Some(source) = source.or_else(|| in_file(&sections.source.paths).filter(|_| !sides)) {
            return Ok(Self { reference: source.clone(), profile: None, current: source, one_source: true });
        }
        let side = |paths: Option<Vec<String>>, side| match (paths, job) {
            (Some(paths), _) => Ok(paths),
            (None, Some(job)) => Err(ConfigError::NoPathsInFile { file: job.document.path().to_owned(), side }),
            (None, None) => Err(ConfigError::NoPaths(side)),
        };
        // Data named on the command line wins over the file's profile.
        let profile = profile.or_else(|| sections.reference.profile.clone().filter(|_| reference.is_none()));
        let reference = match &profile {
            Some(_) => Vec::new(),
            None => side(reference.or_else(|| in_file(&sections.reference.paths)), "reference")?,
        };
        let current = side(current.or_else(|| in_file(&sections.current.paths)), "current")?;
        Ok(Self { reference, profile, current, one_source: false })
    }
}

/// What is said apart from the data and its windows.
fn scan_config(options: ScanOptions, rules: Rules) -> Result<ScanConfig, ConfigError> {
    let defaults = ScanConfig::default();
    let mut thresholds = threshold_settings(&options).thresholds(&Thresholds::default());
    if let Some(runs) = options.runs_per_year {
        thresholds.calibration.runs_per_year = runs;
    }
    Ok(ScanConfig {
        features: Names::joined(options.features).unwrap_or(defaults.features.clone()),
        exclude: Names::joined(options.exclude).unwrap_or_default(),
        categorical: Names::joined(options.categorical).unwrap_or_default(),
        metrics: metrics(Names::joined(options.metrics))?,
        facts: options.facts.unwrap_or(defaults.facts),
        backend: options.backend.unwrap_or(defaults.backend),
        devices: Names::joined(options.devices).unwrap_or_default(),
        threads: options.threads.unwrap_or(defaults.threads),
        memory_limit: options.memory_limit.map_or(defaults.memory_limit, |limit| limit.as_u64()),
        max_categories: options.max_categories,
        weights: options.weights,
        weights_column: options.weights_column,
        skip_bad_files: options.skip_bad_files.unwrap_or(false),
        psi_bins: options.psi_bins.unwrap_or(defaults.psi_bins),
        psi_floor: options.psi_floor.unwrap_or(defaults.psi_floor),
        ks_method: options.ks_method.unwrap_or(defaults.ks_method),
        adjust: options.adjust.unwrap_or(defaults.adjust),
        thresholds,
        rules,
        ..defaults
    })
}

fn output(typed: &ScanOptions, options: &ScanOptions, sections: &Sections) -> Result<OutputConfig, ConfigError> {
    let format = options.format.clone().unwrap_or_else(|| SINKS[0].name().to_owned());
    sink::format(&format).map_err(|expected| ConfigError::Value { key: "format", value: format.clone(), expected })?;
    let main = SinkConfig {
        format,
        output: options.output.clone().filter(|path| path.as_os_str() != "-"),
        top: options.top,
        all: options.all,
    };
    // The sinks of the file are enough, unless a format or a place is asked for besides.
    let asked = options.format.is_some() || options.output.is_some() || sections.sink.is_empty();
    let mut sinks: Vec<SinkConfig> = asked.then_some(main).into_iter().collect();
    let taken = sinks.iter().any(SinkConfig::is_stdout);
    sinks.extend(sections.sink.iter().filter(|sink| !(taken && sink.is_stdout())).map(|sink| SinkConfig {
        top: typed.top.or(sink.top).or(options.top),
        all: typed.all.or(sink.all).or(options.all),
        output: sink.output.clone().filter(|path| path.as_os_str() != "-"),
        ..sink.clone()
    }));
    Ok(OutputConfig {
        sinks,
        save_profile: options.save_profile.clone(),
        fail_on: options.fail_on.unwrap_or_default(),
        color: options.color.unwrap_or_default(),
        timings: options.timings.unwrap_or(false),
        quiet: options.quiet.unwrap_or(false),
        progress: !options.no_progress.unwrap_or(false),
    })
}

/// The options of a scan that are settings of every feature, too.
fn threshold_settings(options: &ScanOptions) -> Settings {
    Settings {
        effect: options.effect,
        alpha: options.alpha,
        threshold: options.threshold,
        false_alarms_per_year: options.false_alarms_per_year,
        psi_warning: options.psi_warning,
        psi_critical: options.psi_critical,
        ks_warning: options.ks_warning,
        ks_critical: options.ks_critical,
        js_warning: options.js_warning,
        js_critical: options.js_critical,
        ks_info: options.ks_info,
        null_info: options.null_info,
        null_warning: options.null_warning,
        null_critical: options.null_critical,
        ..Settings::default()
    }
}

/// What was typed about features wins over the rules of the file.
fn typed_layers(typed: &ScanOptions) -> Vec<Layer> {
    let layer = |patterns: Vec<String>, settings| Layer {
        rank: Rank::Flag,
        origin: String::new(),
        key: KeyPath::new(),
        patterns,
        settings,
        shared: false,
    };
    let every = layer(vec!["*".to_owned()], threshold_settings(typed));
    let exclude = Settings { exclude: Some(true), ..Settings::default() };
    let categorical = Settings { categorical: Some(true), ..Settings::default() };
    let named = [(&typed.exclude, exclude), (&typed.categorical, categorical)];
    let named = named.into_iter().filter_map(|(names, settings)| Some(layer(Names::joined(names.clone())?, settings)));
    named.chain((every.settings != Settings::default()).then_some(every)).collect()
}

/// The error with the line of the file that it is about, unless the value was typed.
fn with_line(error: ConfigError, typed: &ScanOptions, job: Option<&JobConfig>) -> ConfigError {
    let (ConfigError::Value { key, .. }, Some(job)) = (&error, job) else { return error };
    if typed.says(key) {
        return error;
    }
    let shared = vec!["scan".to_owned(), (*key).to_owned()];
    let own = job.name.iter().map(|name| [vec!["job".to_owned(), name.clone()], shared.clone()].concat());
    match own.chain([shared.clone()]).find(|path| job.document.has(path)) {
        Some(path) => ConfigError::Problems(vec![job.document.problem(&path, error.to_string())]),
        None => error,
    }
}

pub(super) fn metric_names(wanted: impl Fn(&Card) -> bool) -> Vec<String> {
    METRICS.iter().map(|metric| metric.card()).filter(|card| wanted(card)).map(|card| card.name.to_owned()).collect()
}

/// The metrics asked for, in the order of the list; `all` and `default` stand for several.
fn metrics(asked: Option<Vec<String>>) -> Result<Vec<String>, ConfigError> {
    let Some(asked) = asked else { return Ok(metric_names(|card| card.default)) };
    let known = || METRICS.iter().map(|metric| metric.card().name).chain(["all", "default"]);
    if let Some(unknown) = asked.iter().find(|name| !known().any(|known| known == *name)) {
        let all: Vec<_> = known().collect();
        let expected =
            format!("the metrics are {}{}", all.join(", "), select::did_you_mean(unknown, all.iter().copied()));
        return Err(ConfigError::Value { key: "metrics", value: unknown.clone(), expected });
    }
    let asked = |name: &str| asked.iter().any(|one| one == name);
    Ok(metric_names(|card| asked(card.name) || asked("all") || (card.default && asked("default"))))
}

//! What can be said about a scan, on the command line and in the `[scan]` table of `gpudrift.toml`: one struct for
//! both, so that neither can know an option that the other does not. Clap is named here, besides `cli`, for that reason.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bytesize::ByteSize;
use clap::Args;
use clap::builder::PossibleValuesParser;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::sections::{Section, beside};
use super::{Adjust, BackendChoice, ColorChoice, EpochUnit, FactsChoice, FailOn, KsMethod, ThresholdChoice};
use crate::metric::METRICS;
use crate::report::SINKS;
use crate::verdict::Effect;
use crate::window::{AsOf, Compare, WindowSpec};

/// Names and globs: separated by commas on the command line, an array or such a string in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Names {
    /// The names of every time that an option was given, in order; `None` when it was not.
    #[must_use]
    pub fn joined(given: Option<Vec<Self>>) -> Option<Vec<String>> {
        given.map(|given| given.into_iter().flat_map(|names| names.0).collect())
    }
}

impl FromStr for Names {
    type Err = std::convert::Infallible;

    /// Splits at commas, except inside braces (`{a,b}_total`) and after a backslash.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut names, mut name, mut depth, mut escaped) = (Vec::new(), String::new(), 0_u32, false);
        for c in text.chars() {
            if escaped {
                // Only the comma loses its backslash: the others mean something in a glob.
                if c != ',' {
                    name.push('\\');
                }
                name.push(c);
                escaped = false;
                continue;
            }
            match c {
                '\\' => escaped = true,
                ',' if depth == 0 => names.push(std::mem::take(&mut name)),
                c => {
                    match c {
                        '{' => depth += 1,
                        '}' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    name.push(c);
                }
            }
        }
        if escaped {
            name.push('\\');
        }
        names.push(name);
        let names = names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Ok(Self(names.collect()))
    }
}

impl<'de> Deserialize<'de> for Names {
    /// A string like on the command line, or an array whose elements are taken as they are.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a string or an array of strings")]
        enum Written {
            One(String),
            Many(Vec<String>),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::One(text) => text.parse().unwrap_or_default(),
            Written::Many(names) => Self(names),
        })
    }
}

impl JsonSchema for Names {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Names and globs: an array, or a string that separates them by commas.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        })
    }
}

/// What an option that may be given several times on the command line is in the file.
fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Names>>, D::Error> {
    Names::deserialize(deserializer).map(|names| Some(vec![names]))
}

impl Section for ScanOptions {
    fn over(self, shared: Self) -> Self {
        self.or(shared)
    }

    fn relative_to(&mut self, folder: &Path) {
        if let Some(weights) = &mut self.weights {
            *weights = PathBuf::from(beside(folder, &weights.to_string_lossy()));
        }
        let output = self.output.as_mut().filter(|output| output.as_os_str() != "-");
        for written in output.into_iter().chain(&mut self.save_profile) {
            *written = PathBuf::from(beside(folder, &written.to_string_lossy()));
        }
    }
}

super::optional::optional! {
/// Everything that can be said about a scan; `None` is what was not said.
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScanOptions {
    /// Data to compare with: files, folders, globs
    ///
    /// A Parquet file, a folder (searched for *.parquet, partition folders like month=2013-01 become columns), or a
    /// quoted glob. May be given several times. Without it, `[reference] paths` of gpudrift.toml.
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Data")]
    #[serde(skip)]
    pub reference: Option<Vec<String>>,
    /// A saved profile in the place of the reference
    ///
    /// Made by `gpudrift profile build`. The report is the same as with the data that it was built from.
    #[arg(long, value_name = "FILE", conflicts_with = "reference", help_heading = "Data")]
    #[serde(skip)]
    pub profile: Option<PathBuf>,
    /// Data to look at, named like the reference
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Data")]
    #[serde(skip)]
    pub current: Option<Vec<String>>,
    /// One data set for both sides, told apart by windows of time
    ///
    /// A folder, file or glob, in place of --reference and --current; --timestamp and --current-window say which rows are
    /// meant.
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Data", conflicts_with_all = ["reference", "profile", "current"])]
    #[serde(skip)]
    pub source: Option<Vec<String>>,
    /// A feature repository of Feast in place of paths
    ///
    /// Its folder, with feature_store.yaml and a registry file, or the JSON that `feast registry-dump` prints. Files, features,
    /// timestamps and entities come from there; --current-window says which rows are meant. Each feature view is a scan
    /// and a report of its own, a job called as the view; --features 'view:*' chooses some.
    #[arg(long, value_name = "PATH", help_heading = "Data", conflicts_with_all = ["reference", "profile", "current", "source"], hide_short_help = true)]
    #[serde(skip)]
    pub feast: Option<PathBuf>,
    /// Features to scan: `all`, names, globs [default: all]
    ///
    /// Separated by commas; a comma in a name is written `\,`. `all` is every feature that both sides have with
    /// comparable types; what it leaves out stands under `skipped`. A name (or a pattern that matches nothing) that cannot be scanned
    /// ends the run with exit code 4, after the report is written.
    #[arg(long, value_name = "NAMES", help_heading = "Data")]
    #[serde(deserialize_with = "names")]
    #[schemars(with = "Option<Names>")]
    pub features: Option<Vec<Names>>,
    /// Features to leave out: names, globs
    #[arg(long, value_name = "NAMES", help_heading = "Data")]
    #[serde(deserialize_with = "names")]
    #[schemars(with = "Option<Names>")]
    pub exclude: Option<Vec<Names>>,
    /// Integer features that are categories: names, globs
    ///
    /// Integers are numbers by default. Codes (a store, a status) are better compared as categories: chi-squared
    /// instead of KS, and one bin a value.
    #[arg(long, value_name = "NAMES", help_heading = "Data")]
    #[serde(deserialize_with = "names")]
    #[schemars(with = "Option<Names>")]
    pub categorical: Option<Vec<Names>>,
    /// Importance of features: a CSV, JSON or Parquet file
    ///
    /// With the columns `feature` and `weight`. Within a level, the report ranks by weight × effect. A feature that the
    /// file does not name has weight 0; `weight` of a rule or a feature in the configuration wins over the file.
    #[arg(long, value_name = "FILE", help_heading = "Data", hide_short_help = true)]
    pub weights: Option<PathBuf>,
    /// The column of the weights in their file [default: weight, or importance]
    #[arg(long, value_name = "COLUMN", help_heading = "Data", hide_short_help = true)]
    pub weights_column: Option<String>,
    /// Leave out files that cannot be read
    ///
    /// Otherwise such a file ends the run. The files left out stand in the report, and the exit code is 4.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
        hide_possible_values = true,
        help_heading = "Data", hide_short_help = true)]
    pub skip_bad_files: Option<bool>,

    /// Column with the time of a row, for windows
    ///
    /// A timestamp, a date, or an integer with --timestamp-unit. Or the keys of folders: dt (dt=2026-11-22), or
    /// year,month,day (year=2026/month=11/day=22). Dates, folders, and timestamps without a zone are times on the wall
    /// clock of --timezone. Rows without a time are counted, reported, and in no window. This column, --created and --entity are no
    /// features unless --features names them.
    #[arg(long, value_name = "COLUMN", help_heading = "Windows", hide_short_help = true)]
    #[serde(deserialize_with = "names")]
    #[schemars(with = "Option<Names>")]
    pub timestamp: Option<Vec<Names>>,
    /// What an integer timestamp counts
    #[arg(long, value_enum, value_name = "UNIT", help_heading = "Windows", hide_short_help = true)]
    pub timestamp_unit: Option<EpochUnit>,
    /// Folders that follow the timestamp: dt, or year,month,day
    ///
    /// Files in folders more than a day outside of every window are not opened. Without it every footer is read, and row
    /// groups are left out by their statistics.
    #[arg(long, value_name = "KEYS", help_heading = "Windows", hide_short_help = true)]
    #[serde(deserialize_with = "names")]
    #[schemars(with = "Option<Names>")]
    pub time_folders: Option<Vec<Names>>,
    /// Column with the time at which a row was written: the last write counts
    ///
    /// Of the rows with the same --entity and the same --timestamp, the one that was written last is read; of two that
    /// were written at the same time, the later one in the files. Without it rows are read as they are stored.
    #[arg(long, value_name = "COLUMN", help_heading = "Windows", hide_short_help = true)]
    pub created: Option<String>,
    /// Columns that say what a row is about
    ///
    /// Rows with the same ones and the same --timestamp are told: a key occurs twice. With --created the last write counts, and
    /// only those that were written at the same time are told.
    #[arg(long, value_name = "COLUMNS", help_heading = "Windows", hide_short_help = true)]
    #[serde(deserialize_with = "names")]
    #[schemars(with = "Option<Names>")]
    pub entity: Option<Vec<Names>>,
    /// Rows of the reference: 2026-01-01..2026-03-31, 2026-03, ...
    ///
    /// Windows include their start and exclude their end; a range of days or months includes the last one:
    /// 2026-01-01..2026-03-31 ends where April begins. Days are those of --timezone, with 23 or 25 hours where the clock changes.
    /// Allowed: yesterday, last-7-days, last-24-hours, last-4-weeks, last-month, a day, a month, a year, START..END of days, months
    /// or RFC 3339 times.
    #[arg(long, value_name = "WINDOW", help_heading = "Windows", hide_short_help = true)]
    #[schemars(with = "Option<String>")]
    pub reference_window: Option<WindowSpec>,
    /// Rows to look at: yesterday, last-7-days, 2026-11-22, ...
    #[arg(long, value_name = "WINDOW", help_heading = "Windows", hide_short_help = true)]
    #[schemars(with = "Option<String>")]
    pub current_window: Option<WindowSpec>,
    /// With what the current window is compared [default: reference]
    ///
    /// The reference, the window of the same length right before, the same days one week earlier, or the same dates one year
    /// earlier, for what has seasons; several in one read.
    /// The first decides about levels and exit code of the run, the others stand under `comparisons`. Without a reference
    /// window, one source is compared with the previous window.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WITH", help_heading = "Windows", hide_short_help = true)]
    pub compare: Option<Vec<Compare>>,
    /// The night of the run: a date or RFC 3339 time [default: now]
    ///
    /// What is `yesterday` depends on it; with it a run can be repeated. A date is its first instant. In a history, a later
    /// run as of the same night takes the place of this one; without it (and without --run-id) the same data is the same
    /// run, and other data under the same path another one.
    #[arg(long, value_name = "DATE", help_heading = "Windows", hide_short_help = true)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<AsOf>,
    /// Time zone of days and of times without a zone [default: UTC]
    #[arg(long, value_name = "ZONE", help_heading = "Windows", hide_short_help = true)]
    pub timezone: Option<String>,
    /// Warn when the newest row of the current window is older than its end by more than this [default: 24h]
    #[arg(long, value_name = "LENGTH", help_heading = "Windows", hide_short_help = true)]
    pub late_after: Option<String>,
    /// Scan each value of these columns apart, too: country, ...
    ///
    /// Every segment is compared with itself, in the same read: `amount{country=US}`. Several columns give their
    /// combinations. Rows without a value are a segment of their own.
    #[arg(long, value_name = "COLUMNS", help_heading = "Windows", hide_short_help = true)]
    #[serde(deserialize_with = "names")]
    #[schemars(with = "Option<Names>")]
    pub segment_by: Option<Vec<Names>>,
    /// Scan at most N segments, those with the most rows [default: 50]
    #[arg(long, value_name = "N", help_heading = "Windows", hide_short_help = true)]
    pub max_segments: Option<usize>,

    /// Metrics: `default`, `all`, or names
    #[arg(long, value_name = "NAMES", help_heading = "Statistics", long_help = metrics_help())]
    #[serde(deserialize_with = "names")]
    #[schemars(with = "Option<Names>")]
    pub metrics: Option<Vec<Names>>,
    /// Facts of both sides [default: full]
    #[arg(long, value_enum, value_name = "FACTS", help_heading = "Statistics")]
    pub facts: Option<FactsChoice>,
    /// Keep at most N categories a feature
    ///
    /// Without a bound every category counts, however many there are. With it, the report says where it was reached.
    #[arg(long, value_name = "N", help_heading = "Statistics", hide_short_help = true)]
    pub max_categories: Option<u64>,
    /// Bins of PSI and JS, at quantiles of the reference [default: 10]
    #[arg(long, value_name = "N", help_heading = "Statistics", hide_short_help = true)]
    pub psi_bins: Option<usize>,
    /// Least share of a bin in PSI, so that empty ones count [default: 0.001]
    #[arg(long, value_name = "SHARE", help_heading = "Statistics", hide_short_help = true)]
    pub psi_floor: Option<f64>,
    /// How the p-value of KS is computed [default: auto]
    #[arg(long, value_enum, value_name = "METHOD", help_heading = "Statistics", hide_short_help = true)]
    pub ks_method: Option<KsMethod>,
    /// How p-values become q-values [default: bh]
    #[arg(long, value_enum, value_name = "METHOD", help_heading = "Statistics", hide_short_help = true)]
    pub adjust: Option<Adjust>,

    /// Highest q-value of a drift [default: 0.05]
    ///
    /// A level takes both: an effect size at or above its limit, and q-values at or below this (of KS or chi-squared, and
    /// of PSI). So neither a million rows nor a hundred make noise an alarm.
    #[arg(long, value_name = "Q", help_heading = "Levels")]
    pub alpha: Option<f64>,
    /// Limits of PSI: fixed, or learned from the reference [default: fixed]
    ///
    /// Calibrated limits are those that a stable feature reaches false_alarms_per_year times a year, at runs_per_year. They
    /// rest on the windows of the reference where there is a timestamp, and on chance where there is none.
    #[arg(long, value_enum, value_name = "HOW", help_heading = "Levels", hide_short_help = true)]
    pub threshold: Option<ThresholdChoice>,
    /// False alarms a year that calibrated limits allow a feature [default: 0.1]
    #[arg(long, value_name = "N", help_heading = "Levels", hide_short_help = true)]
    pub false_alarms_per_year: Option<f64>,
    /// Runs a year, for calibrated limits [default: 365]
    #[arg(long, value_name = "N", help_heading = "Levels", hide_short_help = true)]
    pub runs_per_year: Option<f64>,
    /// WARNING from this PSI [default: 0.1]
    #[arg(long, value_name = "PSI", help_heading = "Levels")]
    pub psi_warning: Option<f64>,
    /// CRITICAL from this PSI [default: 0.2]
    #[arg(long, value_name = "PSI", help_heading = "Levels")]
    pub psi_critical: Option<f64>,
    /// Effect size that levels rest on: psi, ks, js [default: psi]
    ///
    /// A feature that has no value for it (KS of a string) is judged by PSI.
    #[arg(long, value_name = "EFFECT", value_parser = effect, help_heading = "Levels", hide_short_help = true)]
    pub effect: Option<Effect>,
    /// WARNING from this D, with --effect ks [default: 0.1]
    #[arg(long, value_name = "D", help_heading = "Levels", hide_short_help = true)]
    pub ks_warning: Option<f64>,
    /// CRITICAL from this D, with --effect ks [default: 0.2]
    #[arg(long, value_name = "D", help_heading = "Levels", hide_short_help = true)]
    pub ks_critical: Option<f64>,
    /// WARNING from this JS distance, with --effect js [default: 0.1]
    #[arg(long, value_name = "JS", help_heading = "Levels", hide_short_help = true)]
    pub js_warning: Option<f64>,
    /// CRITICAL from this JS distance, with --effect js [default: 0.2]
    #[arg(long, value_name = "JS", help_heading = "Levels", hide_short_help = true)]
    pub js_critical: Option<f64>,
    /// INFO from this significant D that PSI does not see [default: 0.1]
    #[arg(long, value_name = "D", help_heading = "Levels", hide_short_help = true)]
    pub ks_info: Option<f64>,
    /// INFO from this change of the null or NaN share [default: 0.01]
    #[arg(long, value_name = "SHARE", help_heading = "Levels", hide_short_help = true)]
    pub null_info: Option<f64>,
    /// WARNING from this change of the null share [default: off]
    #[arg(long, value_name = "SHARE", help_heading = "Levels", hide_short_help = true)]
    pub null_warning: Option<f64>,
    /// CRITICAL from this change of the null share [default: off]
    #[arg(long, value_name = "SHARE", help_heading = "Levels", hide_short_help = true)]
    pub null_critical: Option<f64>,

    /// Who counts: the report is the same [default: auto]
    ///
    /// `auto` takes a real GPU when there is one, never a software rasteriser. `gpu` takes any adapter and fails when
    /// there is none. `gpudrift devices` lists them.
    #[arg(long, value_enum, value_name = "BACKEND", help_heading = "Machine")]
    pub backend: Option<BackendChoice>,
    /// GPUs that share the columns: all, or numbers and PCI addresses [default: the best one]
    ///
    /// Numbers are those of `gpudrift devices`; addresses, like 0000:01:00.0, tell identical cards apart.
    #[arg(long, value_name = "all|DEVICE,...", help_heading = "Machine", hide_short_help = true)]
    pub devices: Option<Vec<Names>>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Machine", hide_short_help = true)]
    pub threads: Option<usize>,
    /// Memory to stay below, like 2GiB [default: half of the RAM]
    #[arg(long, value_name = "SIZE", help_heading = "Machine")]
    #[schemars(with = "Option<String>")]
    pub memory_limit: Option<ByteSize>,

    /// Format of the report [default: table]
    #[arg(long, short, value_name = "FORMAT", value_parser = formats(), help_heading = "Output")]
    pub format: Option<String>,
    /// File to write instead of standard output
    ///
    /// Written beside it and renamed when complete, so that a reader never sees half a report.
    #[arg(long, short, value_name = "PATH", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Profile of the current side to write, to stand for a reference later
    ///
    /// As `gpudrift profile build` of the same features, without reading them twice.
    #[arg(long, value_name = "FILE", help_heading = "Output", hide_short_help = true)]
    pub save_profile: Option<PathBuf>,
    /// Exit with code 1 from this level [default: never]
    #[arg(long, value_enum, value_name = "LEVEL", help_heading = "Output")]
    pub fail_on: Option<FailOn>,
    /// Show the N most severe features (table, markdown, html, prometheus)
    ///
    /// Without it, every feature that is not ok is shown, and some that are. The formats for programs always hold all.
    #[arg(long, value_name = "N", help_heading = "Output", hide_short_help = true)]
    pub top: Option<usize>,
    /// Show every feature
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
        hide_possible_values = true,
        help_heading = "Output")]
    pub all: Option<bool>,
    /// Colours [default: auto]
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output", hide_short_help = true)]
    pub color: Option<ColorChoice>,
    /// Say how long each stage took
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
        hide_possible_values = true,
        help_heading = "Output", hide_short_help = true)]
    pub timings: Option<bool>,
    /// No messages but errors
    #[arg(long, short, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
        hide_possible_values = true,
        help_heading = "Output")]
    pub quiet: Option<bool>,
    /// No progress bar (there is none without a terminal)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
        hide_possible_values = true,
        help_heading = "Output", hide_short_help = true)]
    pub no_progress: Option<bool>,
}
}

fn metrics_help() -> String {
    let mut help = "Metrics: `default`, `all`, or names, separated by commas\n\nPossible names:".to_owned();
    for card in METRICS.iter().map(|metric| metric.card()) {
        let default = if card.default { " (default)" } else { "" };
        help += &format!("\n- {}: {}{default}", card.name, card.measures);
    }
    help
}

fn formats() -> PossibleValuesParser {
    SINKS
        .iter()
        .map(|sink| clap::builder::PossibleValue::new(sink.name()).help(sink.about()))
        .collect::<Vec<_>>()
        .into()
}

fn effect(text: &str) -> Result<Effect, String> {
    let names = Effect::ALL.map(Effect::name).join(", ");
    Effect::ALL.into_iter().find(|effect| effect.name() == text).ok_or_else(|| format!("the effect sizes are {names}"))
}

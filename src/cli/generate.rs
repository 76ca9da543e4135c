//! `gpudrift generate`: synthetic feature stores with known drift.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use bytesize::ByteSize;
use clap::builder::{PossibleValue, PossibleValuesParser};

use gpudrift::generate::{
    CODECS, DRIFT_KINDS, DriftKind, Format, GenerateSpec, Layout, Side, TYPES, codec_named, demo, type_named,
};

/// Write a synthetic feature store with known drift, for trying, testing and measuring
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  gpudrift generate -o store                                          20 features, a fifth of them drifted
  gpudrift generate -o wide --features 1000 --types f32 --drifted 0   1000 stable features
  gpudrift generate -o bugs --drift swapped,time-zone,recoded --types f64,timestamp,string --drift-size 0.5
                                                                      some kinds of drift, half as strong as usual
  gpudrift generate -o data --demo --force                            the demo store of gpudrift's repository")]
pub(crate) struct GenerateArgs {
    /// Folder to write reference/, current/ and truth.json into
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Write the demo store of gpudrift's repository, which has its own features, rows and seed
    #[arg(long, conflicts_with_all = [
        "rows", "current_rows", "features", "types", "drifted", "drift", "drift_size", "codec", "dictionary", "no_dictionary",
        "row_group_rows", "files", "nulls", "nans", "layout", "seed",
    ])]
    pub(crate) demo: bool,
    /// Rows of the reference
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) rows: u64,
    /// Rows of current [default: as many as the reference]
    #[arg(long, value_name = "N")]
    pub(crate) current_rows: Option<u64>,
    /// Number of features
    #[arg(long, value_name = "N", default_value = "20", value_parser = at_least_one)]
    pub(crate) features: u64,
    /// Types of the features, in turns
    #[arg(long, value_name = "TYPE,...", value_delimiter = ',', default_value = "f32,f64,int32,int64,string",
        value_parser = PossibleValuesParser::new(TYPES.map(|(name, _)| name)))]
    pub(crate) types: Vec<String>,
    /// Share of the features that drift
    #[arg(long, value_name = "SHARE", default_value = "0.2", value_parser = share)]
    pub(crate) drifted: f64,
    /// Kinds of drift, in turns [default: every kind]
    #[arg(long, value_name = "KIND,...", value_delimiter = ',',
        value_parser = PossibleValuesParser::new(DRIFT_KINDS.map(|(name, kind)| PossibleValue::new(name).help(kind.says()))))]
    pub(crate) drift: Vec<String>,
    /// How strong the drifts are: 0.5 is half of the usual, 2 twice; what has no size (a unit, a constant) does not follow
    #[arg(long, value_name = "SIZE", default_value_t = 1.0)]
    pub(crate) drift_size: f64,
    /// Compression of the files
    #[arg(long, default_value = "snappy", value_parser = PossibleValuesParser::new(CODECS.map(|(name, _)| name)))]
    pub(crate) codec: String,
    /// Write dictionary pages, floats included, as pyarrow does by default [default]
    #[arg(long, overrides_with = "no_dictionary")]
    pub(crate) dictionary: bool,
    /// Write plain pages
    #[arg(long, overrides_with = "dictionary")]
    pub(crate) no_dictionary: bool,
    /// Rows in a row group
    #[arg(long, value_name = "N", default_value = "131072", value_parser = at_least_one)]
    pub(crate) row_group_rows: u64,
    /// Files a side, or with --layout hive a partition
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_least_one)]
    pub(crate) files: u64,
    /// Share of nulls in every feature
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub(crate) nulls: f64,
    /// Share of NaN in every feature of floats
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub(crate) nans: f64,
    /// Where the files lie: all in one folder, or in folders like region=emea whose name is one more column
    #[arg(long, value_enum, default_value_t = LayoutArg::Flat)]
    pub(crate) layout: LayoutArg,
    /// Where all randomness comes from: the same seed gives the same bytes on every machine
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u64,
    /// Replace reference/, current/ and truth.json in a folder that is not empty
    #[arg(long)]
    pub(crate) force: bool,
}

/// The choices of `--layout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LayoutArg {
    /// part-000.parquet, ...
    Flat,
    /// region=emea/part-000.parquet, ...
    Hive,
}

/// Writes the store and says on stderr what was written.
///
/// # Errors
/// [`GenerateError`](gpudrift::generate::GenerateError), whose `is_usage` tells a wrong request from a failure.
pub(crate) fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let store = if args.demo { demo::store() } else { spec(args)?.store()? };
    let written = store
        .write(&args.output, args.force)
        .with_context(|| format!("no feature store was written to {}", args.output.display()))?;
    let drifted = store.features.iter().filter(|feature| feature.drift.is_some()).count();
    let message = format!(
        "wrote {} features, {drifted} of them drifted: {} reference and {} current rows in {} files ({}) under {}; \
         truth.json there says what is true about each",
        store.features.len(),
        store.rows(Side::Reference),
        store.rows(Side::Current),
        written.files,
        ByteSize(written.bytes),
        args.output.display(),
    );
    // A closed stderr is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{message}");
    Ok(())
}

fn spec(args: &GenerateArgs) -> anyhow::Result<GenerateSpec> {
    let too_many = "more than this machine can count";
    Ok(GenerateSpec {
        rows: args.rows,
        current_rows: args.current_rows.unwrap_or(args.rows),
        features: usize::try_from(args.features).context(too_many)?,
        types: args.types.iter().map(|name| type_named(name)).collect::<Result<_, _>>()?,
        drifted: args.drifted,
        drift: match args.drift.as_slice() {
            [] => DRIFT_KINDS.map(|(_, kind)| kind).to_vec(),
            names => names.iter().filter_map(|name| DriftKind::named(name)).collect(),
        },
        drift_size: args.drift_size,
        nulls: args.nulls,
        nans: args.nans,
        seed: args.seed,
        format: Format {
            codec: codec_named(&args.codec)?,
            dictionary: !args.no_dictionary,
            row_group_rows: usize::try_from(args.row_group_rows).context(too_many)?,
            files: args.files,
            layout: match args.layout {
                LayoutArg::Flat => Layout::Flat,
                LayoutArg::Hive => Layout::Hive,
            },
        },
    })
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1".into()),
    }
}

fn at_least_one(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number of at least 1 is needed".into()),
        Ok(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: GenerateArgs,
    }

    fn parse(line: &str) -> Result<GenerateArgs, clap::Error> {
        Line::try_parse_from(line.split_whitespace()).map(|line| line.args)
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        for (line, part) in [
            ("generate", "--output"),
            ("generate --output x --drifted 1.5", "from 0 to 1"),
            ("generate --output x --types float", "uint64"),
            ("generate --output x --drift sideways", "null-spike"),
            ("generate --output x --codec zip", "zstd"),
            ("generate --output x --features 0", "at least 1"),
            ("generate --output x --row-group-rows 0", "at least 1"),
            ("generate --output x --demo --rows 5", "--rows"),
        ] {
            let error = parse(line).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn what_is_typed_is_what_is_meant() {
        let line = "generate --output x --rows 0 --current-rows 7 --features 3 --types f32,string --drifted 0 \
                    --codec lz4 --no-dictionary --files 2 --layout hive --seed 9";
        let spec = spec(&parse(line).expect("valid")).expect("valid");
        assert_eq!((spec.rows, spec.current_rows, spec.features, spec.seed), (0, 7, 3, 9));
        assert_eq!(spec.types.len(), 2);
        assert!(!spec.format.dictionary);
        assert_eq!((spec.format.files, spec.format.layout), (2, Layout::Hive));
        let defaults = super::spec(&parse("generate --output x --rows 5").expect("valid")).expect("valid");
        assert_eq!((defaults.current_rows, defaults.format.dictionary), (5, true));
        assert_eq!(defaults.drift.len(), DRIFT_KINDS.len());
    }
}

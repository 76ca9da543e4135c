//! `gpudrift alert`: test the channels, see what is open and what waits, send what waits.

use clap::{Args, Subcommand};
use gpudrift::alert::{Alerts, CHANNELS, OpenIncident, Waiting};
use gpudrift::format::shortened_end;
use gpudrift::history::{History, HistoryPlace};
use serde_json::json;

use super::columns::columns;
use super::exit::{Exit, Failure};
use super::history::{Format, print_json};
use super::nightly::alert_failure;
use super::output::print;
use super::place::Place;

/// Longest title in a table.
const TITLE: usize = 60;

/// What `gpudrift alert` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift alert test             a test message to every channel of [alerts]
  gpudrift alert test on-call     to one
  gpudrift alert list             open incidents, and messages that wait
  gpudrift alert flush            send what waits now, not with the next run", after_long_help = long_after_help())]
pub(crate) struct AlertArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
    /// For people or for programs
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT", global = true)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send a test message, past the outbox
    Test {
        /// The channel: a name under [alerts]
        channel: Option<String>,
    },
    /// Show open incidents, and messages that wait
    List,
    /// Send the messages that wait
    Flush,
}

fn long_after_help() -> String {
    let mut help = "Types of channels, each with its keys beside type, level and resolve:\n".to_owned();
    for channel in CHANNELS {
        help += &format!("  {:12} {}: {}\n", channel.name, channel.about, channel.keys.join(", "));
    }
    help + "\nExample:\n  gpudrift alert test"
}

/// Does what was asked for.
pub(crate) fn run(args: &AlertArgs) -> Result<Exit, Failure> {
    let (place, alerts) = args.place.configs()?;
    if matches!(args.command, Command::Test { .. }) && alerts.channels.is_empty() {
        return Err(Failure::usage(anyhow::anyhow!(
            "[alerts] of gpudrift.toml names no channel; nobody would be told"
        )));
    }
    // A test works before the first run, and leaves nothing behind.
    let scratch = tempfile::tempdir().map_err(Failure::failed)?;
    let history = match (&args.command, place.path.exists()) {
        (Command::Test { .. }, false) => History::open(&HistoryPlace::at(scratch.path().join("test.db"))),
        _ => History::open_existing(&place),
    };
    let alerts = Alerts::open(&history.map_err(Failure::usage)?, &alerts).map_err(alert_failure)?;
    match &args.command {
        Command::Test { channel } => test(&alerts, channel.as_deref()),
        Command::List => list(&alerts, args).map(|()| Exit::Finished),
        Command::Flush => flush(&alerts),
    }
}

fn test(alerts: &Alerts, channel: Option<&str>) -> Result<Exit, Failure> {
    let results = alerts.test(channel).map_err(alert_failure)?;
    let failed = results.iter().any(|(_, result)| result.is_err());
    let text: String = results
        .into_iter()
        .map(|(name, result)| match result {
            Ok(()) => format!("{name}: sent\n"),
            Err(reason) => format!("{name}: not sent: {reason}\n"),
        })
        .collect();
    print(&text).map_err(Failure::failed)?;
    Ok(if failed { Exit::Failed } else { Exit::Finished })
}

fn flush(alerts: &Alerts) -> Result<Exit, Failure> {
    let delivered = alerts.flush().map_err(alert_failure)?;
    let mut text = format!("{} sent, {} waiting\n", delivered.sent, delivered.waiting);
    for warning in &delivered.warnings {
        text += &format!("warning: {warning}\n");
    }
    print(&text).map_err(Failure::failed)?;
    Ok(if delivered.waiting > 0 { Exit::Incomplete } else { Exit::Finished })
}

fn list(alerts: &Alerts, args: &AlertArgs) -> Result<(), Failure> {
    let open = alerts.open_incidents(args.place.job.as_deref()).map_err(alert_failure)?;
    let waiting = alerts.waiting().map_err(alert_failure)?;
    if args.format == Format::Json {
        return print_json(&json!({ "open": open, "waiting": waiting }));
    }
    let incident = |incident: &OpenIncident| {
        vec![
            incident.level.name().to_uppercase(),
            incident.job.clone(),
            incident.opened_at.format("%Y-%m-%d").to_string(),
            incident.nights.to_string(),
            shortened_end(&incident.title, TITLE),
        ]
    };
    let message = |waiting: &Waiting| {
        vec![
            waiting.id.to_string(),
            waiting.channel.clone(),
            waiting.message.action.name().to_owned(),
            waiting.attempts.to_string(),
            shortened_end(&waiting.message.headline(), TITLE),
            waiting.error.clone().unwrap_or_default(),
        ]
    };
    let mut text = format!("{} open\n", gpudrift::format::counted(open.len() as u64, "incident", "incidents"));
    if !open.is_empty() {
        text += &columns(&["level", "job", "since", "runs", "what"], &["runs"], open.iter().map(incident));
    }
    text += &format!("\n{} waiting\n", gpudrift::format::counted(waiting.len() as u64, "message", "messages"));
    if !waiting.is_empty() {
        let headers = ["id", "channel", "action", "attempts", "what", "last error"];
        text += &columns(&headers, &["id", "attempts"], waiting.iter().map(message));
    }
    print(&text).map_err(Failure::failed)
}

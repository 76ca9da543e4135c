//! `gpudrift devices`: the adapters that gpudrift sees, how fast they count, and which one `auto` takes, and why.

use bytesize::ByteSize;
use clap::Args;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use gpudrift::backend::gpu::{Adapter, AdapterKind, AdapterSummary, Gpu, GpuOptions, adapters};
use gpudrift::backend::{TIMES_THE_CPU, Weighed, auto};
use gpudrift::config::ScanConfig;
use gpudrift::format::printable;

use super::exit::{Exit, Failure};
use super::output::print;

/// What `gpudrift devices` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift devices                        what there is, and what auto takes
  gpudrift devices --measure              the same after a change of the machine
  gpudrift scan --devices 0,1 ...         two of them share the columns

How fast a GPU counts is measured once and kept in the user's cache folder. `--backend auto` takes the GPUs that count at
least as fast as the CPU; `--backend gpu` takes the first of the list, whatever it is.")]
pub(crate) struct DevicesArgs {
    /// Measure again, software adapters too
    #[arg(long)]
    measure: bool,
    /// Threads of the CPU to compare with [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,
}

/// One adapter, and what came of measuring it; nothing where nobody did.
struct Line {
    summary: AdapterSummary,
    weighed: Option<Result<Weighed, String>>,
}

/// Prints one line an adapter, best first.
pub(crate) fn run(args: &DevicesArgs) -> Result<Exit, Failure> {
    let threads = args.threads.map_or_else(|| ScanConfig::default().threads, usize::from);
    let lines: Vec<Line> = adapters(false).into_iter().map(|adapter| line(adapter, threads, args.measure)).collect();
    print(&text(&lines, threads)).map_err(Failure::failed)?;
    Ok(Exit::Finished)
}

fn line(adapter: Adapter, threads: usize, again: bool) -> Line {
    let summary = adapter.summary().clone();
    let weigh = || {
        let gpu = Gpu::on(adapter, GpuOptions::default()).map_err(|error| error.to_string())?;
        auto(&gpu, threads, again).map_err(|error| error.to_string())
    };
    let weighed = (again || !summary.is_software()).then(weigh);
    Line { summary, weighed }
}

fn text(lines: &[Line], threads: usize) -> String {
    if lines.is_empty() {
        return "No GPU adapter found: scans run on the CPU. A driver for Vulkan (or Metal, or DirectX 12) makes a GPU \
                visible;\nto try the GPU path without one, install a software driver (Debian: mesa-vulkan-drivers).\n"
            .to_owned();
    }
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    table.set_header([
        "",
        "name",
        "type",
        "PCI",
        "driver",
        "buffer",
        "binding",
        "workgroup",
        "threads",
        "subgroup",
        "counts",
    ]);
    for (number, Line { summary, weighed }) in lines.iter().enumerate() {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        let subgroup = match (summary.subgroup_min, summary.subgroup_max) {
            (min, max) if min == max => min.to_string(),
            (min, max) => format!("{min} to {max}"),
        };
        let rate = weighed.as_ref().and_then(|weighed| weighed.as_ref().ok());
        table.add_row([
            right(number.to_string()),
            Cell::new(printable(&summary.name)),
            Cell::new(kind(summary.kind)),
            Cell::new(printable(&summary.pci)),
            Cell::new(printable(&format!("{}, {}", summary.backend, summary.driver))),
            right(ByteSize(summary.max_buffer_bytes).to_string()),
            right(ByteSize(summary.max_binding_bytes).to_string()),
            right(ByteSize(summary.workgroup_bytes.into()).to_string()),
            right(summary.workgroup_threads.to_string()),
            right(subgroup),
            right(rate.map_or_else(String::new, |weighed| millions(weighed.device.keys_per_second))),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    for (number, Line { summary, weighed }) in lines.iter().enumerate() {
        let mut facts = summary.features.clone();
        if let Some(Ok(Weighed { device, .. })) = weighed {
            facts.extend(device.upload.map(|way| format!("keys go there {way}")));
        }
        text += &format!("{number}: {}\n", facts.join(", "));
    }
    text + &verdict(lines, threads)
}

/// What `auto` takes, and why.
fn verdict(lines: &[Line], threads: usize) -> String {
    let mut text = String::new();
    let mut taken = Vec::new();
    let mut cpu = None;
    for (number, Line { summary, weighed }) in lines.iter().enumerate().filter(|(_, line)| !line.summary.is_software())
    {
        match weighed {
            Some(Ok(weighed)) => {
                cpu = Some(weighed.cpu.keys_per_second);
                taken.extend(weighed.is_worth_it().then_some(number));
            }
            Some(Err(error)) => text += &format!("{number}: {} is not taken: {error}\n", printable(&summary.name)),
            None => {}
        }
    }
    let on_cpu = cpu.map_or_else(String::new, |rate| format!(" {} with {threads} threads", millions(rate)));
    text + &match taken.first() {
        Some(number) => {
            format!(
                "--backend auto takes {number}: it counts {TIMES_THE_CPU} times as fast as the CPU ({})\n",
                on_cpu.trim()
            )
        }
        None if cpu.is_some() => format!(
            "--backend auto takes the CPU: no GPU counts {TIMES_THE_CPU} times as fast, which a scan takes to gain by it ({})\n",
            on_cpu.trim()
        ),
        None => "--backend auto takes the CPU: there is no real GPU\n".to_owned(),
    }
}

/// 64-bit keys a second.
fn millions(keys_per_second: u64) -> String {
    format!("{} M/s", keys_per_second / 1_000_000)
}

fn kind(kind: AdapterKind) -> &'static str {
    match kind {
        AdapterKind::Discrete => "discrete",
        AdapterKind::Integrated => "integrated",
        AdapterKind::Virtual => "virtual",
        AdapterKind::Other => "other",
        AdapterKind::Software => "software",
    }
}

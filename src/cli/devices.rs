//! `gpudrift devices`: the adapters that gpudrift sees, and what decides whether they are of use.

use bytesize::ByteSize;
use clap::Args;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use gpudrift::backend::gpu::{AdapterKind, AdapterSummary, adapters};
use gpudrift::format::printable;

use super::exit::{Exit, Failure};
use super::output::print;

/// What `gpudrift devices` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  gpudrift devices

`--backend auto` takes the first of the list unless it is a software adapter; `--backend gpu` takes the first, whatever it is.")]
pub(crate) struct DevicesArgs {}

/// Prints one line an adapter, best first.
pub(crate) fn run(_: &DevicesArgs) -> Result<Exit, Failure> {
    print(&text(&adapters())).map_err(Failure::failed)?;
    Ok(Exit::Finished)
}

fn text(adapters: &[AdapterSummary]) -> String {
    if adapters.is_empty() {
        return "No GPU adapter found: scans run on the CPU. A driver for Vulkan (or Metal, or DirectX 12) makes a GPU \
                visible;\nto try the GPU path without one, install a software driver (Debian: mesa-vulkan-drivers).\n"
            .to_owned();
    }
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    let headers = ["name", "type", "backend", "driver", "buffer", "binding", "workgroup", "threads", "subgroup"];
    table.set_header(headers);
    for adapter in adapters {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        let subgroup = match (adapter.subgroup_min, adapter.subgroup_max) {
            (min, max) if min == max => min.to_string(),
            (min, max) => format!("{min} to {max}"),
        };
        table.add_row([
            Cell::new(printable(&adapter.name)),
            Cell::new(kind(adapter.kind)),
            Cell::new(printable(&adapter.backend)),
            Cell::new(printable(&adapter.driver)),
            right(ByteSize(adapter.max_buffer_bytes).to_string()),
            right(ByteSize(adapter.max_binding_bytes).to_string()),
            right(ByteSize(adapter.workgroup_bytes.into()).to_string()),
            right(adapter.workgroup_threads.to_string()),
            right(subgroup),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    for adapter in adapters.iter().filter(|adapter| !adapter.features.is_empty()) {
        text += &format!("{}: {}\n", printable(&adapter.name), adapter.features.join(", "));
    }
    text
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

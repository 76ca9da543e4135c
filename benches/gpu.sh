#!/usr/bin/env bash
# What a GPU does for gpudrift, measured on the machine that has one. Needs no network and no Rust: a release binary, and
# Python with cupy or torch for the peers, where it has them.
#
#   benches/gpu.sh [BINARY] [FOLDER]
#
# BINARY is target/release/gpudrift unless named; FOLDER (benches/results/gpu) gets a report and the figures as JSON.
# QUICK=1 takes small sizes: to see that it runs, on a software rasteriser too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:-$here/../target/release/gpudrift}
folder=${2:-$here/results/gpu}
mkdir -p "$folder"
report=$folder/report.md
python=${PYTHON:-python3}

if [ -n "${QUICK:-}" ]; then
    kernels=(--rows 20000 --features 8 --repeat 1)
    scans=(--rows 20000 --features 8 --repeat 1)
    narrow=(--rows 500 --features 200 --repeat 1)
    peers=(--rows 20000 --features 8 --repeat 1)
else
    kernels=(--rows 1000000 --features 64 --repeat 5 --checked)
    scans=(--rows 1000000 --features 64 --repeat 3)
    narrow=(--rows 2000 --features 5000 --repeat 3)
    peers=(--rows 1000000 --features 64 --repeat 5)
fi

say() { printf '%s\n' "$@" >>"$report"; }
# Runs a command and writes it and its output to the report. A failure stands there, too, and ends nothing.
shown() {
    say "" '```' "\$ ${*/#$binary/gpudrift}"
    if ! "$@" >>"$report" 2>>"$folder/messages.txt"; then say "(failed: see messages.txt)"; failed=1; fi
    say '```'
}
failed=0
: >"$report"
: >"$folder/messages.txt"

say "# gpudrift on a GPU" "" "$(date -u +%F), $("$binary" --version), $(nproc) cores, $(uname -sr)"
say "" "## The machine"
if command -v nvidia-smi >/dev/null; then
    shown nvidia-smi --query-gpu=name,pci.bus_id,driver_version,memory.total,memory.free,pcie.link.gen.current,pcie.link.width.current --format=csv
    shown nvidia-smi -q -d MEMORY
fi
if command -v vulkaninfo >/dev/null; then shown vulkaninfo --summary; fi
shown "$binary" devices --measure

say "" "## Kernels, on features that lie on the device"
shown "$binary" bench --kernels --backend gpu --type f32,f64 "${kernels[@]}" --json "$folder/kernels.json"

say "" "## Whole scans, beside bare decoding and the CPU"
shown "$binary" bench --backend gpu --no-sorting --type f32,f64 --pages plain,dictionary,zstd,nulls "${scans[@]}" --json "$folder/scans.json"
shown "$binary" bench --backend gpu --no-sorting --type f64 --pages plain "${narrow[@]}" --json "$folder/narrow.json"

say "" "## The same comparison in Python, on the same device"
shown "$python" "$here/gpu_peers.py" "${peers[@]}" --json "$folder/peers.json"

printf '%s\n' "$report"
exit "$failed"

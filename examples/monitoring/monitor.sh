#!/usr/bin/env bash
# Monitors four public data sets month by month: monitor.sh DATA OUTPUT
# DATA has their folders; OUTPUT gets a history and an HTML report of the last month of each.
set -euo pipefail
data=$(realpath "$1")
output=$2
here=$(cd "$(dirname "$0")" && pwd)
gpudrift=${GPUDRIFT:-gpudrift}
mkdir -p "$output"

monitor() { # NAME FIRST-NIGHT LAST-NIGHT SOURCE...
    local name=$1 first=$2 last=$3
    shift 3
    echo "== $name"
    "$gpudrift" backfill --config "$here/$name.toml" --source "$@" --from "$first" --to "$last" --every month \
        --history "$output/$name.db"
    "$gpudrift" history --history "$output/$name.db" --all
    "$gpudrift" scan --quiet --config "$here/$name.toml" --source "$@" --as-of "$last" --history "$output/$name.db" \
        --format html --output "$output/$name.html"
}

monitor flights-nyc-2013 2013-03-01 2014-01-01 "$data/flights-nyc-2013"
monitor car-loan 2018-12-01 2019-09-01 "$data/car-loan/reference.parquet" "$data/car-loan/current.parquet"
monitor electricity-nsw 1997-06-01 1998-12-01 "$data/electricity-nsw"
monitor beijing-air-multisite 2015-03-01 2017-03-01 "$data/beijing-air-multisite"

# The model of the car loans, before its labels have arrived and after: one configuration for both.
model() { # LABELS...
    "$gpudrift" model scan --config "$here/car-loan.toml" --input "$data/car-loan/current.parquet" \
        --reference "$data/car-loan/reference.parquet" "$@" --history "$output/car-loan.db"
    # Ends with 1 on a yes.
    "$gpudrift" retrain check --config "$here/car-loan.toml" --history "$output/car-loan.db" || true
}
echo "== car-loan, the model"
model
model --labels "$data/car-loan/current_target.parquet"
"$gpudrift" model history car_loan --history "$output/car-loan.db"

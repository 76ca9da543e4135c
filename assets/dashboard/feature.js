// One feature: what happened, both distributions, and its past.

function featurePage(job, rows, page) {
  const report = page.report;
  const write = writer(report);
  const neighbour = (text, row) => (row ? link(featureLink(job.job, row.name), text) : h("span", { class: "dim" }, text));
  return [
    h("h1", { tabindex: "-1" }, nameOf(report.name)),
    h("p", { class: "lead" }, levelTag(report.level), " ", h("span", { class: "dim" }, `${report.kind}, ${report.type}${report.current_type ? ` (now ${report.current_type})` : ""}`),
      page.nights > 1 ? h("span", { class: "dim" }, `, not ok for ${page.nights} runs`) : null),
    why(job, page),
    h("div", { class: "charts" }, distributionCharts(page, write), pastCharts(job, page, write)),
    levelHistory(job, page),
    h("div", { class: "beside" }, section("facts", "Facts", sides(report, write)), section("metrics", "Metrics", facts(Object.entries(report.metrics).map(([name, value]) => [name, value === null ? `– ${(report.undefined || {})[name] || ""}` : typeof value === "number" ? significant(value) : value])))),
    h("nav", { class: "turn", "aria-label": "Features by severity" }, neighbour("← more severe", rows[page.n - 1]), neighbour("less severe →", rows[page.n + 1])),
  ];
}

function why(job, page) {
  const { change_kind: change, reasons, notes } = page.report;
  const others = page.incident ? page.incident.features.filter((name) => name !== page.report.name) : [];
  return h("div", { class: "why" },
    change && page.report.level !== "ok" ? [
      h("p", {}, h("strong", {}, nameOf(change.title)), " ", causeTag(change.cause, change.confidence)),
      h("p", {}, nameOf(change.evidence)),
    ] : null,
    reasons.length ? h("ul", {}, reasons.map((reason) => h("li", {}, nameOf(reason)))) : page.report.level === "ok" ? h("p", {}, "Nothing to see: no effect that is both large and significant.") : null,
    others.length ? h("p", {}, "Together with ", others.slice(0, 8).map((name, index) => [index ? ", " : "", link(featureLink(job.job, name), nameOf(name))]), others.length > 8 ? ` and ${others.length - 8} more` : "", ".") : null,
    (notes || []).map((note) => h("p", { class: "dim" }, nameOf(note))));
}

/** Counts of both sides in the bins, or in the most frequent categories, and what they are shares of. */
function binCounts(report) {
  const values = (side) => side.rows - side.nulls - side.nans;
  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const bins = report.psi_bins;
  if (bins) return { reference: bins.reference, current: bins.current, all: [sum(bins.reference), sum(bins.current)] };
  const top = (report.categories || {}).top || [];
  return { reference: top.map((one) => one.reference), current: top.map((one) => one.current), all: [values(report.reference), values(report.current)] };
}

function distributionCharts(page, write) {
  const report = page.report;
  const { reference, current, all } = binCounts(report);
  if (!reference.length || (all[0] === 0 && all[1] === 0)) return [h("p", { class: "dim" }, "There are no values to draw a distribution of.")];
  const labels = binLabels(report);
  const share = (counts, side) => counts.map((value) => (all[side] ? value / all[side] : 0));
  const [before, after] = [share(reference, 0), share(current, 1)];
  const most = after.reduce((best, value, index) => (Math.abs(value - before[index]) > Math.abs(after[best] - before[best]) ? index : best), 0);
  const what = report.psi_bins ? "bin" : "category";
  const rows = () => labels.map((label, index) => ({ label, reference: reference[index], current: current[index], before: before[index], after: after[index], term: page.psi_terms[index] }));
  const columns = [
    { head: what, row: true, cell: (row) => nameOf(row.label) },
    { head: "reference", numeric: true, cell: (row) => `${count(row.reference)} (${percent(row.before)})` },
    { head: "current", numeric: true, cell: (row) => `${count(row.current)} (${percent(row.after)})` },
    { head: "adds to PSI", numeric: true, cell: (row) => significant(row.term) },
  ];
  const moved = `${labels[most]} moved most, from ${percent(before[most])} to ${percent(after[most])} of the values.`;
  const found = [figure("Distributions", `Shares of the reference (wide, grey) and of the current side (narrow, coloured) by ${what}: ${moved}`, (width) => binBars(labels, [
    { label: "reference", fill: color("ref"), size: 0.86, values: before, write: percent },
    { label: "current", fill: color("current"), size: 0.42, values: after, write: percent },
  ], shares, width), () => [columns, rows()])];
  if (page.ecdf && page.ecdf.reference.length && page.ecdf.current.length) found.push(ecdfFigure(page, write));
  if (page.psi_terms.length) {
    const top = page.psi_terms.reduce((best, value, index) => (value > page.psi_terms[best] ? index : best), 0);
    const sum = significant(report.metrics.psi);
    found.push(figure(`PSI by ${what}`, `What each ${what} adds to PSI, ${sum} in all; most comes from ${labels[top]} (${significant(page.psi_terms[top])}).`, (width) => binBars(labels, [
      { label: "adds to PSI", fill: color("current"), size: 0.7, values: page.psi_terms, write: significant },
    ], plain, width), () => [columns, rows()]));
  }
  return found;
}

function ecdfFigure(page, write) {
  const { ecdf, report } = page;
  const quantiles = (report.reference.quantiles || {});
  const spread = Math.abs((quantiles["0.75"] ?? 0) - (quantiles["0.25"] ?? 0));
  const isTime = stepOf(report) !== null;
  const d = report.metrics.ks_statistic;
  const gap = ecdf.gap ? ` The bar marks the largest gap at an edge of a bin: at ${write(ecdf.gap.at)} the shares are ${percent(ecdf.gap.reference)} and ${percent(ecdf.gap.current)}, ${significant(Math.abs(ecdf.gap.reference - ecdf.gap.current))} apart.` : "";
  const points = () => [...ecdf.reference.map(([at, share]) => ({ side: "reference", at, share })), ...ecdf.current.map(([at, share]) => ({ side: "current", at, share }))];
  return figure("ECDFs", `${isNumber(d) ? `D, the largest distance between the two at any value, is ${significant(d)}.` : "Share of the values at or below each value."}${gap} Exact at edges, quantiles and ends; lines in between.`,
    () => ecdfLines(ecdf, write, writer(report, true), spread, isTime),
    () => [[{ head: "side", row: true, cell: (row) => row.side }, { head: "value", numeric: true, cell: (row) => write(row.at) }, { head: "share at or below", numeric: true, cell: (row) => percent(row.share) }], points()]);
}

function pastCharts(job, page, write) {
  const { series, report } = page;
  const runs = job.runs.slice(-series.level.length);
  const at = (index) => ({ run: runs[index], index });
  const rows = () => runs.map((_, index) => at(index)).filter(({ index }) => series.level[index] !== " ").reverse();
  const columns = (...more) => [{ head: "window", row: true, cell: ({ run }) => nameOf(run.window) }, { head: "level", cell: ({ index }) => levelTag(LEVELS[series.level[index]]) }, ...more];
  const column = (head, values, text) => ({ head, numeric: true, cell: ({ index }) => text(values[index]) });
  const flat = (value) => runs.map(() => value);
  const known = (values) => values.some((value) => value !== null);
  const last = (values) => values[values.length - 1];
  const found = [];
  if (known(series.psi)) {
    const limits = job.run.config.thresholds.psi;
    found.push(figure("PSI and D over time", `PSI was ${significant(Math.max(...series.psi.map((value) => value ?? 0)))} at most and is ${significant(last(series.psi))} in the latest run.`,
      () => overTime(runs, [
        lineSeries("PSI", color("current"), significant), lineSeries("KS D", color("ref-line"), significant, { width: 1.5 }),
        dashed("warning", color("warning-fill"), significant), dashed("critical", color("critical-fill"), significant),
      ], [series.psi, series.ks, flat(limits.warning), flat(limits.critical)], plain, { scales: { y: { range: (u, low, high) => [0, Math.max(high * 1.08, limits.critical * 1.2)] } } }),
      () => [columns(column("PSI", series.psi, significant), column("KS D", series.ks, significant), column("q", series.q, probability)), rows()]));
  }
  if (known(series.q50)) {
    const median = (report.reference.quantiles || {})["0.5"];
    const band = (label) => lineSeries(label, color("band-line"), write, { width: 1, points: { show: false } });
    found.push(figure("Quantiles over time", `The median is ${write(last(series.q50))} in the latest run; in the reference it is ${write(median)}. The bands hold 50% and 90% of the values.`,
      () => overTime(runs, [
        band("95%"), band("75%"), lineSeries("median", color("current"), write), band("25%"), band("5%"), dashed("reference's median", color("text"), write),
      ], [series.q95, series.q75, series.q50, series.q25, series.q05, flat(isNumber(median) ? median : null)], (u, values) => values.map(writer(report, true)), {
        size: stepOf(report) === null ? 62 : 84,
        options: { bands: [{ series: [1, 5], fill: color("band") }, { series: [2, 4], fill: color("band") }] },
      }),
      () => [columns(...[["5%", "q05"], ["25%", "q25"], ["median", "q50"], ["75%", "q75"], ["95%", "q95"], ["mean", "mean"]].map(([head, name]) => column(head, series[name], write))), rows()]));
  }
  const before = report.reference.rows ? report.reference.nulls / report.reference.rows : null;
  found.push(figure("Null share over time", `${percent(last(series.nulls))} of the rows are null in the latest run; in the reference it is ${percent(before)}.`,
    () => overTime(runs, [lineSeries("null share", color("current"), percent), dashed("reference", color("text"), percent)], [series.nulls, flat(before)], shares,
      { scales: { y: { range: (u, low, high) => [0, Math.min(Math.max(high * 1.1, 0.01), 1.02)] } } }),
    () => [columns(column("null share", series.nulls, percent), column("rows", series.rows, count)), rows()]));
  return found;
}

/** Runs in a row in which the feature was not ok, the latest first. */
function episodes(job, series) {
  const runs = job.runs.slice(-series.level.length);
  const found = [];
  let open = null;
  [...series.level].forEach((level, index) => {
    const digit = level === " " ? 0 : Number(level);
    if (digit === 0) { if (open) open.over = level === " " ? null : runs[index]; open = null; return; }
    if (!open) { open = { from: runs[index], worst: 0, runs: 0, open: false }; found.push(open); }
    open.runs += 1;
    open.until = runs[index];
    open.worst = Math.max(open.worst, digit);
  });
  if (open) open.open = true;
  return found.reverse();
}

function levelHistory(job, page) {
  const found = episodes(job, page.series);
  return section("history", "Alert history",
    found.length ? table("Times at which the feature was not ok, the latest first", [
      { head: "worst level", cell: (one) => levelTag(LEVELS[one.worst]) },
      { head: "from", row: true, cell: (one) => nameOf(one.from.window) },
      { head: "until", cell: (one) => (one.open ? "now" : nameOf(one.until.window)) },
      { head: "runs", numeric: true, cell: (one) => count(one.runs) },
    ], found) : h("p", {}, "It was ok in every run."),
    page.alerts.length ? [h("h3", {}, "What people were told"), table("Alerts about the feature", alertColumns(job.job), page.alerts)] : null);
}

function sides(report, write) {
  const [before, after] = [report.reference, report.current];
  const rows = [["rows", count], ["nulls", count], ["nans", count, "NaN"], ["infinite", count], ["distinct", count], ["min", write], ["max", write], ["mean", write], ["std", distance(report)], ["zeros", count], ["outliers", count], ["extreme_outliers", count, "extreme outliers"]]
    .map(([name, text, shown]) => [shown || name, before[name] === undefined ? null : text(before[name]), after[name] === undefined ? null : text(after[name])]);
  for (const level of Object.keys(before.quantiles || {})) rows.push([`quantile ${level}`, write(before.quantiles[level]), write((after.quantiles || {})[level])]);
  const known = rows.filter(([, one, other]) => (one !== null && one !== NONE) || (other !== null && other !== NONE));
  return table("Facts of both sides", [
    { head: "fact", row: true, cell: (row) => row[0] },
    { head: "reference", numeric: true, cell: (row) => row[1] ?? NONE },
    { head: "current", numeric: true, cell: (row) => row[2] ?? NONE },
  ], known);
}

// One model: traffic by version, performance with and without labels, drift of its outputs, how it was served, validations.

/** Figures that repeat others, but for their averaging, of two classes. */
const averaged = (name) => /_(micro|macro|weighted)$/.test(name);

/** The page of a model. `shown` holds the versions over the rows that were asked for: all of them, or a segment's. */
function modelPage(entry, page, shown, query) {
  const job = entry.name;
  if (!page.versions.length) {
    return [h("h1", { tabindex: "-1" }, nameOf(page.name)), h("p", {}, "No windows of it are in the history: gpudrift model scan --history keeps them."), validationsSection(page)];
  }
  const segment = query.get("segment");
  const version = shown.find((one) => versionName(one.version) === query.get("version")) || most(shown);
  const last = version.windows.length - 1;
  const rows = () => version.windows.map((_, index) => index).reverse();
  const context = { job, version, rows, runs: version.windows.map((window, index) => ({ window, at: version.at[index] })) };
  const names = Object.keys(version.metrics);
  const main = names.filter((name) => page.task !== "binary" || !averaged(name));
  const rest = names.filter((name) => !main.includes(name));
  const charts = (list) => h("div", { class: "charts" }, list);
  return [
    h("h1", { tabindex: "-1" }, nameOf(page.name)),
    h("p", { class: "lead" }, levelTag(LEVELS[Math.max(...standingAt(version).map((place) => version.level[place]))]), " ", h("span", { class: "dim" }, `${page.task}, version `, nameOf(versionName(version.version)), segment ? [", ", nameOf(segment)] : null,
      `, window ${version.windows[last]}${version.open[last] === "1" ? " (not over yet)" : ""}: ${counted(version.rows[last], "row", "rows")}, ${percent(version.labelled[last] / version.rows[last])} with a label`)),
    pickers(job, page, shown, version, segment),
    standing(version),
    h("h2", { id: "performance" }, "Performance"),
    charts([shown.length > 1 && page.metric ? versionsFigure(shown, page.metric) : null, main.map((name) => metricFigure(context, name))].flat().filter(Boolean)),
    names.length ? null : h("p", {}, "There are neither labels nor estimates."),
    rest.length ? folded(`${counted(rest.length, "average", "averages")} over the classes`, () => charts(rest.map((name) => metricFigure(context, name)))) : null,
    h("h2", { id: "serving" }, "Traffic and serving"),
    charts([trafficFigure(shown), rowsFigure(context), servingFigures(context)].flat().filter(Boolean)),
    Object.keys(version.drift).length ? [h("h2", { id: "drift" }, "Drift of its outputs"), charts(Object.keys(version.drift).map((name) => outputFigure(context, name)))] : null,
    versionsSection(job, page, shown, segment),
    reasonsSection(version),
    validationsSection(page),
  ];
}

/** The version with most rows in the latest window. */
function most(versions) {
  const end = (version) => [version.at[version.at.length - 1], version.rows[version.rows.length - 1]];
  return versions.reduce((best, one) => {
    const [[a, rows], [b, others]] = [end(one), end(best)];
    return a > b || (a === b && rows > others) ? one : best;
  });
}

/** Links to the other versions and segments: they work without a mouse, and can be sent to others. */
function pickers(job, page, shown, version, segment) {
  const choice = (label, options) => (options.length > 1 ? h("nav", { class: "pick", "aria-label": label }, h("span", { class: "dim" }, label), options) : null);
  const versions = shown.map((one) => h("a", { href: modelLink(job, page.name, { version: versionName(one.version), segment }), "aria-current": one === version ? "true" : null }, nameOf(versionName(one.version))));
  const segments = [null, ...page.segments].map((name) => h("a", { href: modelLink(job, page.name, { segment: name }), "aria-current": name === segment ? "true" : null }, name === null ? "all rows" : nameOf(name)));
  return [choice("version", versions), choice("segment", segments)];
}

/** The latest window and, where that has no labels yet, the latest one with figures from labels: how a version stands. */
function standingAt(version) {
  const last = version.windows.length - 1;
  const measured = Math.max(-1, ...Object.values(version.metrics).map((metric) => lastOf(metric.value)));
  return measured < 0 || measured === last ? [last] : [last, measured];
}

/** Why it stands as it does. */
function standing(version) {
  const places = standingAt(version);
  const found = places.flatMap((place) => version.reasons.filter(([at]) => at === place).flatMap(([, reasons]) => reasons.map((reason) => h("li", {}, `${version.windows[place]}: `, nameOf(reason)))));
  const words = places.length > 1 ? `the latest window, or in ${version.windows[places[1]]}, the latest one with labels` : "the latest window";
  return h("div", { class: "why" }, found.length ? h("ul", {}, found) : h("p", { class: "dim" }, `Nothing to see in ${words}.`));
}

/** Points in the colours of levels above ok, drawn over a line. */
function levelMarks(levels, at) {
  return (u) => {
    [...levels].forEach((digit, index) => {
      const [name, value] = [LEVELS[digit], u.data[at][index]];
      if ((name !== "warning" && name !== "critical") || value === null || value === undefined) return;
      const [x, y, size] = [u.valToPos(u.data[0][index], "x", true), u.valToPos(value, "y", true), 5 * devicePixelRatio];
      if (x < u.bbox.left - 1 || x > u.bbox.left + u.bbox.width + 1) return;
      Object.assign(u.ctx, { fillStyle: color(`${name}-fill`), strokeStyle: color("back"), lineWidth: 1.5 * devicePixelRatio });
      u.ctx.beginPath();
      // A square says critical also to those who do not tell the colours apart.
      if (name === "critical") u.ctx.rect(x - size, y - size, 2 * size, 2 * size);
      else u.ctx.arc(x, y, size, 0, 2 * Math.PI);
      u.ctx.fill();
      u.ctx.stroke();
    });
  };
}

/** Ends of a scale that keep `values` in sight with room above and below; noise is not blown up. */
function scaleOf(columns) {
  const known = columns.flat().filter(isNumber);
  if (!known.length) return [0, 1];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const room = Math.max((high - low) * 0.12, Math.abs(high) / 100, 1e-12);
  return [low >= 0 ? Math.max(low - room, 0) : low - room, high + room];
}

const known = (values) => values.some(isNumber);
const lastOf = (values) => values.reduce((last, value, index) => (isNumber(value) ? index : last), -1);

/** The columns of a table over windows. */
const windowColumns = (context, ...more) => [
  { head: "window", row: true, cell: (index) => nameOf(context.version.windows[index]) },
  ...more.map(([head, values, text]) => ({ head, numeric: true, cell: (index) => (text || significant)(values[index]) })),
];

/** One metric: from labels with its interval, as it was at first, as it was to be expected, and its baseline. */
function metricFigure(context, name) {
  const metric = context.version.metrics[name];
  const [measured, expected] = [known(metric.value), known(metric.estimate)];
  const at = lastOf(metric.value);
  const next = lastOf(metric.estimate);
  const digit = at < 0 ? " " : metric.level[at];
  const words = [
    measured ? `${significant(metric.value[at])} in ${context.version.windows[at]}${isNumber(metric.low[at]) ? ` (${significant(metric.low[at])} to ${significant(metric.high[at])})` : ""}${digit > 1 ? `, ${LEVELS[digit]}` : ""}.` : "There are no labels yet.",
    isNumber(metric.baseline[Math.max(at, next)]) ? `Baseline ${significant(metric.baseline[Math.max(at, next)])}.` : "",
    expected ? `Expected without labels: ${significant(metric.estimate[next])} in ${context.version.windows[next]}.` : "",
    known(metric.first) ? "Labels that came later changed it; the dotted line is what was known at first." : "",
    metric.better === "lower" ? "Lower is better." : "",
  ].filter(Boolean).join(" ");
  const make = () => {
    const series = [];
    const data = [];
    const bands = [];
    const add = (one, values) => { series.push(one); data.push(values); return data.length; };
    const edge = (label, values, stroke) => add(lineSeries(label, stroke, significant, { width: 0.5, points: { show: false } }), values);
    if (known(metric.estimate_low)) {
      const [high, low] = [edge("expected, most", metric.estimate_high, color("expected-line")), edge("expected, least", metric.estimate_low, color("expected-line"))];
      bands.push({ series: [high, low], fill: color("expected-band") });
    }
    if (known(metric.low)) {
      const [high, low] = [edge("most", metric.high, color("band-line")), edge("least", metric.low, color("band-line"))];
      bands.push({ series: [high, low], fill: color("band") });
    }
    if (expected) add(lineSeries("expected", color("expected"), significant, { dash: [8, 3], width: 1.5, points: { size: 4 } }), metric.estimate);
    if (known(metric.first)) add(lineSeries("at first", color("ref-line"), significant, { dash: [2, 3], width: 1.5, points: { size: 4 } }), metric.first);
    if (known(metric.baseline)) add(dashed("baseline", color("text"), significant), metric.baseline);
    const place = measured ? add(lineSeries(metricName(name), color("current"), significant), metric.value) : 0;
    const [low, high] = scaleOf(data);
    return overTime(context.runs, series, data, plain, { scales: { y: { range: () => [low, high] } }, options: { bands, hooks: { draw: place ? [levelMarks(metric.level, place)] : [] } } });
  };
  const numbers = () => [[
    { head: "window", row: true, cell: (index) => nameOf(context.version.windows[index]) },
    { head: "level", cell: (index) => (metric.level[index] === " " ? NONE : levelTag(LEVELS[metric.level[index]])) },
    ...[["value", metric.value], ["least", metric.low], ["most", metric.high], ["at first", metric.first], ["expected", metric.estimate], ["baseline", metric.baseline]]
      .filter(([, values]) => known(values)).map(([head, values]) => ({ head, numeric: true, cell: (index) => significant(values[index]) })),
  ], context.rows()];
  return figure(metricName(name), words, make, numbers);
}

const STROKES = ["current", "expected", "warning-fill", "ok", "critical-fill", "ref-line"];
const DRAWN = STROKES.length;

/** The instants of all versions, and a figure of each at them. Of many versions the latest ones. */
function together(versions, of) {
  const shown = versions.slice().sort((a, b) => (a.at[a.at.length - 1] < b.at[b.at.length - 1] ? 1 : -1)).slice(0, DRAWN);
  const windows = new Map(shown.flatMap((version) => version.at.map((at, index) => [at, version.windows[index]])));
  const runs = [...windows].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([at, window]) => ({ at, window }));
  const column = (version) => {
    const places = new Map(version.at.map((at, index) => [at, index]));
    return runs.map((run) => (places.has(run.at) ? of(version)[places.get(run.at)] : null));
  };
  return { shown, runs, columns: shown.map(column), left: versions.length - shown.length };
}

function acrossFigure(title, words, versions, of, text, marks, range) {
  const { shown, runs, columns, left } = together(versions, of);
  const series = shown.map((version, index) => ({ label: versionName(version.version), stroke: STROKES[index] }));
  return figure(title, `${words}${left ? ` The latest ${DRAWN} of ${shown.length + left} versions.` : ""}`,
    () => overTime(runs, series.map((one, index) => lineSeries(one.label, color(one.stroke), text, index % 2 ? { dash: [10, 3] } : {})), columns, marks, { scales: { y: { range: range(columns) } } }),
    () => [[{ head: "window", row: true, cell: (index) => nameOf(runs[index].window) }, ...shown.map((version, place) => ({ head: versionName(version.version), numeric: true, cell: (index) => text(columns[place][index]) }))], runs.map((_, index) => index).reverse()]);
}

/** The followed metric of every version, from labels or as expected. */
function versionsFigure(versions, name) {
  const of = (version) => {
    const metric = version.metrics[name];
    return metric ? metric.value.map((value, index) => (isNumber(value) ? value : metric.estimate[index])) : version.at.map(() => null);
  };
  return acrossFigure(`${metricName(name)} by version`, "From labels, or as it is to be expected where there are none yet.", versions, of, significant, plain, (columns) => { const ends = scaleOf(columns); return () => ends; });
}

function trafficFigure(versions) {
  const end = versions.reduce((latest, version) => (version.at[version.at.length - 1] > latest ? version.at[version.at.length - 1] : latest), "");
  const now = versions.filter((version) => version.at[version.at.length - 1] === end).map((version) => `${versionName(version.version)} ${percent(version.traffic[version.traffic.length - 1])}`);
  return acrossFigure("Traffic by version", `Share of the rows of each window. In the latest: ${now.join(", ")}.`, versions, (version) => version.traffic, percent, shares, () => [0, 1.02]);
}

function rowsFigure(context) {
  const { version, runs, rows } = context;
  const last = version.rows.length - 1;
  const later = version.labelled.some((value, index) => value !== version.first_labelled[index]);
  const series = () => [lineSeries("rows", color("ref-line"), count), lineSeries("with a label", color("current"), count), ...(later ? [lineSeries("with a label at first", color("ref-line"), count, { dash: [2, 3], width: 1.5 })] : [])];
  return figure("Rows and labels", `${count(version.rows[last])} rows in ${version.windows[last]}, ${count(version.labelled[last])} with a label.`,
    () => overTime(runs, series(), [version.rows, version.labelled, ...(later ? [version.first_labelled] : [])], plain, { scales: { y: { range: (u, low, high) => [0, Math.max(high * 1.08, 1)] } } }),
    () => [windowColumns(context, ["rows", version.rows, count], ["with a label", version.labelled, count], ["with a label at first", version.first_labelled, count]), rows()]);
}

/** Requests a second, errors, latency, and declared columns, as far as the log has them. */
function servingFigures(context) {
  const { version, runs, rows } = context;
  const fromZero = { scales: { y: { range: (u, low, high) => [Math.min(low, 0), Math.max(high * 1.08, 1e-9)] } } };
  const found = [];
  const at = (values) => { const last = lastOf(values); return `${significant(values[last])} in ${version.windows[last]}`; };
  if (known(version.requests)) {
    found.push(figure("Requests a second", `${at(version.requests)}.`, () => overTime(runs, [lineSeries("requests a second", color("current"), significant)], [version.requests], plain, fromZero),
      () => [windowColumns(context, ["requests a second", version.requests]), rows()]));
  }
  const [rate, low, high] = version.errors;
  if (known(rate)) {
    const last = lastOf(rate);
    found.push(figure("Error rate", `${percent(rate[last])} of the requests failed in ${version.windows[last]}, with the interval of the share.`,
      () => overTime(runs, [lineSeries("most", color("band-line"), percent, { width: 0.5, points: { show: false } }), lineSeries("least", color("band-line"), percent, { width: 0.5, points: { show: false } }), lineSeries("failed", color("current"), percent)], [high, low, rate], shares, { ...fromZero, options: { bands: [{ series: [1, 2], fill: color("band") }] } }),
      () => [windowColumns(context, ["failed", rate, percent], ["least", low, percent], ["most", high, percent]), rows()]));
  }
  const quantiles = (title, unit, numbers) => {
    const text = (value) => (isNumber(value) ? `${significant(value)}${unit}` : NONE);
    const last = lastOf(numbers.p95);
    if (last < 0) return;
    const place = 3;
    found.push(figure(title, `In ${version.windows[last]} the median is ${text(numbers.p50[last])}, p95 ${text(numbers.p95[last])}, p99 ${text(numbers.p99[last])}.`,
      () => overTime(runs, [lineSeries("p99", color("ref-line"), text, { dash: [2, 3], width: 1.5 }), lineSeries("p50", color("ref-line"), text), lineSeries("p95", color("current"), text)], [numbers.p99, numbers.p50, numbers.p95], plain, { ...fromZero, options: { hooks: { draw: [levelMarks(numbers.level, place)] } } }),
      () => [windowColumns(context, ["p50", numbers.p50], ["p95", numbers.p95], ["p99", numbers.p99], ["mean", numbers.mean], ["max", numbers.max]), rows()]));
  };
  if (version.latency) quantiles("Latency", " ms", version.latency);
  for (const [name, numbers] of Object.entries(version.columns)) quantiles(name, "", numbers);
  if (known(version.business)) {
    found.push(figure("Worth of a prediction", `${at(version.business)}, on average over the rows with a label.`, () => overTime(runs, [lineSeries("worth", color("current"), significant)], [version.business], plain),
      () => [windowColumns(context, ["worth", version.business]), rows()]));
  }
  return found;
}

/** How far an output moved from the reference's. */
function outputFigure(context, name) {
  const drift = context.version.drift[name];
  const last = lastOf(drift.psi);
  const words = last < 0 ? "It has no PSI." : `PSI of the ${name} was ${significant(drift.psi[last])} in ${context.version.windows[last]}, ${LEVELS[drift.level[last]] || "ok"}.`;
  return figure(`Drift of the ${name}`, words,
    () => overTime(context.runs, [lineSeries("PSI", color("current"), significant)], [drift.psi], plain, { scales: { y: { range: (u, low, high) => [0, Math.max(high * 1.08, 0.25)] } }, options: { hooks: { draw: [levelMarks(drift.level, 1)] } } }),
    () => [[...windowColumns(context, ["PSI", drift.psi], ["q", drift.q, probability]), { head: "level", cell: (index) => (drift.level[index] === " " ? NONE : levelTag(LEVELS[drift.level[index]])) }], context.rows()]);
}

function versionsSection(job, page, versions, segment) {
  const last = (values) => values[values.length - 1];
  const best = (version) => {
    const metric = version.metrics[page.metric];
    if (!metric) return NONE;
    const at = lastOf(metric.value);
    return at < 0 ? figureText(metric.estimate[lastOf(metric.estimate)], true) : figureText(metric.value[at], false);
  };
  return section("versions", counted(versions.length, "version", "versions"), table("Versions", [
    { head: "level", cell: (version) => levelTag(LEVELS[last(version.level)]) },
    { head: "version", row: true, cell: (version) => link(modelLink(job, page.name, { version: versionName(version.version), segment }), nameOf(versionName(version.version))) },
    { head: "first window", class: "nowrap", cell: (version) => nameOf(version.windows[0]) },
    { head: "latest window", class: "nowrap", cell: (version) => nameOf(last(version.windows)) },
    { head: "traffic", numeric: true, cell: (version) => percent(last(version.traffic)) },
    { head: "rows", numeric: true, cell: (version) => count(last(version.rows)) },
    ...(page.metric ? [{ head: metricName(page.metric), numeric: true, cell: best }] : []),
  ], versions));
}

/** The windows that were not ok, and why. */
function reasonsSection(version) {
  const found = version.reasons.filter(([place]) => version.level[place] > 0).slice(-50).reverse();
  if (!found.length) return null;
  return section("reasons", "Windows that were not ok", table("Windows that were not ok, the latest first", [
    { head: "level", cell: ([place]) => levelTag(LEVELS[version.level[place]]) },
    { head: "window", row: true, cell: ([place]) => nameOf(version.windows[place]) },
    { head: "why", cell: ([, reasons]) => h("ul", { class: "plain" }, reasons.map((reason) => h("li", {}, nameOf(reason)))) },
  ], found));
}

function validationsSection(page) {
  if (!page.validations.length) return null;
  const rule = (one) => h("li", {}, decisionTag(one.answer), " ", h("code", {}, one.figure), ` ${significant(one.value)}: `, nameOf(one.reason));
  return section("validations", "Validations", table("Validations of challengers, the latest first", [
    { head: "time (UTC)", row: true, class: "nowrap", cell: (one) => instant(one.at) },
    { head: "decision", cell: (one) => decisionTag(one.decision) },
    { head: "challenger", cell: (one) => nameOf(one.challenger.join(", ")) },
    { head: "champion", class: "wide", cell: (one) => nameOf(one.champion.join(", ")) },
    { head: "rules", cell: (one) => h("ul", { class: "plain" }, one.rules.map(rule)) },
  ], page.validations));
}

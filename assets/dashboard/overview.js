// All jobs, and the overview of one.

/** Every job with its latest run. */
function jobsPage(jobs) {
  return [
    h("h1", { tabindex: "-1" }, "Jobs"),
    table("Jobs and their latest runs", [
      { head: "job", row: true, cell: (job) => link(jobLink(job.name), nameOf(job.name)) },
      { head: "latest window", cell: (job) => nameOf(job.window) },
      ...["critical", "warning", "info", "ok", "skipped"].map((name) => ({ head: name, numeric: true, cell: (job) => (job.runs ? number(name, job.summary[name]) : NONE) })),
      ...(jobs.some((job) => job.models) ? [{ head: "models", numeric: true, cell: (job) => (job.models ? [levelTag(job.model_level), " ", link(modelsLink(job.name), count(job.models))] : NONE) }] : []),
      { head: "runs", numeric: true, class: "wide", cell: (job) => count(job.runs) },
    ], jobs),
  ];
}

/** A count in the colour of its level, where there are any. */
const number = (name, value) => h("span", { class: value > 0 ? name : "dim" }, count(value));

/** What the latest run found, and how it came to that. */
function overviewPage(job, models) {
  const latest = job.runs[job.runs.length - 1];
  const before = job.runs[job.runs.length - 2];
  return [
    h("h1", { tabindex: "-1" }, nameOf(job.job)),
    h("p", { class: "dim" }, "Latest run: window ", nameOf(latest.window), `${latest.window === instant(latest.at) ? "" : `, ${instant(latest.at)}`}. ${counted(job.runs.length, "run", "runs")} in the history.`),
    ...job.run.warnings.map((warning) => h("p", { class: "warning" }, "Warning: ", nameOf(warning))),
    tiles(job, before),
    figure("Levels over time", levelsSummary(job.runs), () => levelBars(job.runs), () => [levelColumns(), job.runs.slice().reverse()]),
    incidentsSection(job),
    worstSection(job),
    riskSection(job.job, job.risks),
    modelsSection(job.job, models),
    trainingSection(models),
    findingsSection(job),
    alertsSection(job),
    section("runs", "Runs", table("The latest runs", runColumns(), job.runs.slice(-10).reverse())),
    section("about", "About the latest run", aboutRun(job)),
  ];
}

function tiles(job, before) {
  const tile = (name) => {
    const value = job.summary[name];
    const change = before ? value - before.summary[name] : 0;
    const words = change === 0 ? "as before" : `${count(Math.abs(change))} ${change > 0 ? "more" : "fewer"} than before`;
    const content = [h("b", { class: value > 0 ? name : "dim" }, count(value)), h("span", {}, name), before ? h("small", { class: "dim" }, words) : null];
    return h("li", {}, name === "skipped" ? h("div", { class: "tile" }, content) : h("a", { class: "tile", href: featuresLink(job.job, { level: name }) }, content));
  };
  return h("ul", { class: "tiles", "aria-label": "Features by level" }, ["critical", "warning", "info", "ok", "skipped"].map(tile));
}

function levelsSummary(runs) {
  const severe = (run) => run.summary.critical + run.summary.warning;
  const worst = runs.reduce((a, b) => (severe(b) > severe(a) ? b : a));
  const latest = runs[runs.length - 1];
  return `Features above ok in each run. In the latest ${severe(latest)} are critical or on warning; at most it was ${severe(worst)}, in ${worst.window}.`;
}

const levelColumns = () => [
  { head: "window", row: true, cell: (run) => nameOf(run.window) },
  ...["critical", "warning", "info", "ok", "skipped"].map((name) => ({ head: name, numeric: true, cell: (run) => number(name, run.summary[name]) })),
];

const runColumns = () => [
  ...levelColumns(),
  { head: "time (UTC)", class: "wide", cell: (run) => instant(run.at) },
  { head: "revision", numeric: true, class: "wide", cell: (run) => count(run.revision) },
  { head: "run", class: "wide", cell: (run) => h("code", {}, run.name) },
];

const nightsText = (nights) => (nights <= 1 ? "new" : `${nights} runs`);

function incidentsSection(job) {
  if (!job.incidents.length) return section("incidents", "Incidents", h("p", {}, "Nothing has happened: every feature is ok."));
  const of = (cause) => job.incident_causes[cause] || 0;
  const total = of("pipeline") + of("data") + of("unclear");
  const causes = [[of("pipeline"), "pipeline bug", "pipeline bugs"], [of("data"), "real drift", "real drifts"], [of("unclear"), "bug or drift", "bugs or drifts"]];
  const summary = causes.filter(([number]) => number > 0).map((cause) => counted(...cause)).join(", ");
  const members = (incident) => {
    const links = incident.features.slice(0, 6).map((name) => h("li", {}, link(featureLink(job.job, name), nameOf(name))));
    if (incident.features.length > 6) links.push(h("li", { class: "dim" }, `and ${incident.features.length - 6} more`));
    return h("ul", { class: "names" }, links);
  };
  return section("incidents", counted(total, "incident", "incidents"), h("p", { class: "dim" }, summary),
    table("Incidents of the latest run", [
      { head: "level", cell: (incident) => levelTag(incident.level) },
      { head: "what happened", row: true, cell: (incident) => [nameOf(incident.title), " ", causeTag(incident.cause)] },
      { head: "since", class: "nowrap", cell: (incident) => nightsText(incident.nights) },
      { head: "features", cell: members },
    ], job.incidents),
    total > job.incidents.length ? h("p", { class: "dim" }, `and ${count(total - job.incidents.length)} more`) : null);
}

function worstSection(job) {
  if (!job.worst.length) return null;
  return section("worst", "Worst features",
    table("The most severe features of the latest run", featureColumns(job.job), job.worst),
    h("p", {}, link(featuresLink(job.job), "All features")));
}

function findingsSection(job) {
  const skipped = () => table("Skipped features", [
    { head: "feature", row: true, cell: (one) => nameOf(one.name) },
    { head: "reason", cell: (one) => nameOf(one.reason) },
  ], job.skipped);
  const findings = () => table("Findings of the checks of quality and schema", [
    { head: "level", cell: (one) => one.level },
    { head: "check", cell: (one) => one.check },
    { head: "feature", row: true, cell: (one) => (one.feature ? link(featureLink(job.job, one.feature), nameOf(one.feature)) : "the whole run") },
    { head: "finding", cell: (one) => nameOf(one.message) },
  ], job.findings);
  const total = (list, more) => list.length + more;
  if (!job.findings.length && !job.skipped.length) return null;
  return section("findings", "Findings and skipped features",
    job.findings.length ? [findings(), job.more_findings ? h("p", { class: "dim" }, `and ${count(job.more_findings)} more`) : null] : null,
    job.skipped.length ? folded(`${counted(total(job.skipped, job.more_skipped), "feature was", "features were")} skipped`, skipped) : null);
}

function alertsSection(job) {
  if (!job.alerts.length) return null;
  return section("alerts", "Alerts", table("Incidents that people were told of, the latest first", alertColumns(job.job), job.alerts.slice(0, 50)));
}

const alertColumns = (job) => [
  { head: "level", cell: (alert) => levelTag(alert.level) },
  { head: "incident", row: true, cell: (alert) => nameOf(alert.title) },
  { head: "began", class: "nowrap", cell: (alert) => instant(alert.opened_at) },
  { head: "ended", class: "nowrap", cell: (alert) => (alert.closed_at ? instant(alert.closed_at) : "open") },
  { head: "told", class: "nowrap", cell: (alert) => (alert.told_at ? instant(alert.told_at) : "nobody") },
  { head: "runs", numeric: true, cell: (alert) => count(alert.nights) },
];

function aboutRun(job) {
  const run = job.run;
  const side = (input) => `${counted(input.rows, "row", "rows")} in ${counted(input.files, "file", "files")}: ${input.paths.join(", ")}`;
  const limits = run.config.thresholds[run.config.thresholds.effect];
  return [
    facts([
      ["run", h("code", {}, job.runs[job.runs.length - 1].name)],
      ["started", run.started_at],
      ["took", `${significant(run.duration_seconds)} s`],
      ["counted by", `${run.backend} ${run.device}`],
      ["reference", nameOf(side(run.reference))],
      ["current", nameOf(side(run.current))],
      ["levels", `${run.config.thresholds.effect.toUpperCase()} ≥ ${limits.warning} is a warning, ≥ ${limits.critical} critical, with q ≤ ${run.config.thresholds.alpha ?? 0.05}`],
      ["gpudrift", run.version],
    ]),
    folded("configuration", () => h("pre", { tabindex: "0" }, JSON.stringify(run.config, null, 2))),
  ];
}

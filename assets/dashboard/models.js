// The models of a job: a row each, and the answers to the question whether to train.

const ANSWERS = { yes: "train", no: "do not train", asked: "asked for already" };
const DECISIONS = { deploy: "ok", hold: "warning", reject: "critical" };
const metricName = (name) => ({ roc_auc: "ROC AUC", f1: "F1", r2: "R²", rmse: "RMSE", mse: "MSE", mae: "MAE", mape: "MAPE", msle: "MSLE", rmsle: "RMSLE" }[name] || name.replace(/_/g, " ").replace(/^f1 /, "F1 "));

const modelsLink = (job) => `${jobLink(job)}/models`;
const modelLink = (job, name, query) => {
  const text = new URLSearchParams(Object.entries(query || {}).filter((entry) => entry[1] !== null && entry[1] !== undefined)).toString();
  return `${modelsLink(job)}/${encodeURIComponent(name)}${text ? `?${text}` : ""}`;
};

/** A version; rows without one have none. */
const versionName = (version) => (version === null || version === undefined ? "no version" : version);

/** A decision of a validation in words and colour. */
const decisionTag = (decision) => h("span", { class: `level ${DECISIONS[decision]}` }, decision);

/** A figure, with a mark when it is only expected. */
const figureText = (value, estimated) => (isNumber(value) ? `${estimated ? "~" : ""}${significant(value)}` : NONE);

const modelColumns = (job) => [
  { head: "level", cell: (row) => [levelTag(row.level), row.segment ? [h("br"), h("small", {}, levelTag(row.segment[1]), " in ", nameOf(row.segment[0]))] : null] },
  { head: "model", row: true, cell: (row) => link(modelLink(job, row.name), nameOf(row.name)) },
  { head: "version", cell: (row) => (row.window === null ? NONE : [nameOf(versionName(row.version)), row.versions > 1 ? h("span", { class: "dim" }, ` and ${row.versions - 1} more`) : null]) },
  { head: "latest window", class: "wide nowrap", cell: (row) => (row.window === null ? NONE : nameOf(row.window)) },
  { head: "performance", class: "nowrap", cell: (row) => (row.metric === null ? NONE : [`${metricName(row.metric)} ${figureText(row.value, row.estimated)}`, isNumber(row.baseline) ? h("span", { class: "dim" }, ` of ${significant(row.baseline)}`) : null]) },
  { head: "over the windows", class: "trend", cell: (row) => (row.trend.length ? levelSpark(row, row.metric === null ? "levels" : metricName(row.metric)) : NONE) },
  { head: "requests/s", numeric: true, class: "wide", cell: (row) => significant(row.requests) },
  { head: "errors", numeric: true, class: "wide", cell: (row) => percent(row.errors) },
  { head: "p95", numeric: true, class: "wide nowrap", cell: (row) => (isNumber(row.p95) ? `${significant(row.p95)} ms` : NONE) },
  { head: "validation", cell: (row) => (row.decision ? decisionTag(row.decision) : NONE) },
];

/** A figure over the windows between its ends, above the levels. */
function levelSpark(row, label) {
  const known = row.trend.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  // A fiftieth of the greatest fills the height: noise is not blown up.
  const span = Math.max(high - low, Math.abs(high) / 50) || 1;
  const words = known.length ? `${label} over ${counted(row.trend.length, "window", "windows")}: from ${significant(low)} to ${significant(high)}` : `no ${label}`;
  return spark({ trend: row.trend.map((value) => (value === null ? null : (value - high + span) / span)), levels: row.levels }, words, 1);
}

/** The part of an overview about models. */
function modelsSection(job, page) {
  if (!page || !page.models.length) return null;
  return section("models", counted(page.models.length, "model", "models"),
    table("Models and their latest windows", modelColumns(job), page.models));
}

/** Which drift is likely to hurt which model, as the latest run has it. */
function riskSection(job, risks) {
  if (!risks || !risks.length) return null;
  const impact = (one, weighed) => h("li", {}, one.reason ? nameOf(one.feature) : link(featureLink(job, one.feature), nameOf(one.feature)), h("span", { class: "dim" }, one.reason ? " not comparable" : ` ${one.level}`, weighed ? `, ${percent(one.importance)} of importance` : ""));
  const impacts = (model) => [
    model.impacts.length ? h("ul", { class: "names" }, model.impacts.slice(0, 8).map((one) => impact(one, model.weighed)), model.impacts.length > 8 ? h("li", { class: "dim" }, `and ${count(model.impacts.length - 8)} more`) : null) : "no drift in its features",
    model.unknown.length ? h("p", { class: "dim" }, `${count(model.unknown.length)} of its features were not scanned`) : null,
  ];
  return section("risk", "Drift that is likely to hurt", h("p", { class: "dim" }, "The severity of each feature's level times its importance to the model: 0 when all are ok, 1 when all are critical. A rank, no forecast."),
    table("Models at risk by the drift of their features", [
      { head: "model", row: true, cell: (model) => nameOf(model.model) },
      { head: "at risk", numeric: true, cell: (model) => h("span", { class: model.risk >= 0.5 ? "critical" : model.risk >= 0.2 ? "warning" : "dim" }, model.risk.toFixed(2)) },
      { head: "drifting", numeric: true, cell: (model) => `${count(model.impacts.length)} of ${count(model.features)}` },
      { head: "features", cell: impacts },
    ], risks));
}

/** The answers to the question whether to train, the latest first. */
function trainingSection(page) {
  if (!page || !page.decisions.length) return null;
  const latest = page.decisions[0];
  const answers = (caption, decisions) => table(caption, [
    { head: "time (UTC)", row: true, class: "nowrap", cell: (one) => instant(one.at) },
    { head: "answer", cell: (one) => h("span", { class: `level ${one.answer === "no" ? "ok" : "warning"}` }, one.answer) },
    { head: "because", cell: (one) => nameOf(one.summary) },
    { head: "policy", class: "wide", cell: (one) => one.policy },
    { head: "trained", class: "wide", cell: (one) => (one.trained ? nameOf(one.trained) : NONE) },
  ], decisions);
  const [first, rest] = [page.decisions.slice(0, 14), page.decisions.slice(14)];
  return section("training", "Training", h("p", {}, "Latest answer: ", h("strong", {}, ANSWERS[latest.answer]), ". ", nameOf(latest.summary), "."),
    answers("Answers to the question whether to train, the latest first", first),
    rest.length ? folded(counted(rest.length, "earlier answer", "earlier answers"), () => answers("Earlier answers to the question whether to train", rest)) : null);
}

/** The page of all models of a job. */
function modelsPage(entry, page) {
  return [
    h("h1", { tabindex: "-1" }, "Models of ", nameOf(entry.name)),
    page.models.length ? table("Models and their latest windows", modelColumns(entry.name), page.models) : h("p", {}, "There are no models."),
    page.models.some((row) => row.estimated) ? h("p", { class: "dim" }, "~ marks what scores let expect where labels are not there yet.") : null,
    trainingSection(page),
  ];
}

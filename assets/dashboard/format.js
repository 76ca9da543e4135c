// Numbers as people read them: the same forms as in the reports.

const NONE = "–";
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const exponent = (text) => text.replace(/\.?0*e\+?/, "e");

/** Three significant digits. */
function significant(value) {
  if (!isNumber(value)) return value === "Infinity" ? "∞" : value === "-Infinity" ? "−∞" : NONE;
  const magnitude = Math.abs(value);
  if (value === 0) return "0";
  if (magnitude < 1e-3 || magnitude >= 1e6) return exponent(value.toExponential(2));
  return trimmed(value.toFixed(magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : magnitude >= 0.1 ? 3 : magnitude >= 0.01 ? 4 : 5));
}

const three = (value) => (isNumber(value) ? value.toFixed(3) : NONE);
const count = (value) => (isNumber(value) ? value.toLocaleString("en-US") : NONE);
const counted = (value, one, many) => `${count(value)} ${value === 1 ? one : many}`;

/** A p- or q-value. */
function probability(value) {
  if (!isNumber(value)) return NONE;
  return value === 0 ? "0" : value < 1e-3 ? exponent(value.toExponential(1)) : trimmed(value.toFixed(3));
}

/** A share as percent. */
function percent(share) {
  if (!isNumber(share)) return NONE;
  const value = share * 100;
  if (value === 0) return "0%";
  if (value < 0.1) return "<0.1%";
  if (value < 100 && value > 99.9) return ">99.9%";
  return `${trimmed(value.toFixed(1))}%`;
}

/** An instant in UTC, to the minute; midnight is a date. */
function instant(text) {
  const iso = new Date(text).toISOString();
  return iso.slice(11, 16) === "00:00" ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** Milliseconds that one step of a temporal type lasts; null for durations and times of day, which are numbers. */
function tick(type) {
  if (/^date32/i.test(type)) return 86400000;
  if (/^date64/i.test(type)) return 1;
  const unit = /^timestamp\W*(ns|us|ms|s)\b/i.exec(type);
  return unit ? { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 }[unit[1]] : null;
}

/** Milliseconds of a step of a feature's values, where these are instants. */
const stepOf = (report) => (report.kind === "temporal" ? tick(report.type) : null);

/** How the values of a feature are written: instants (or their dates, where that is enough) and digits. */
function writer(report, dates) {
  const step = stepOf(report);
  return (value) => {
    if (step === null || !isNumber(value)) return significant(value);
    const date = new Date(value * step);
    if (Number.isNaN(date.getTime())) return significant(value);
    return dates ? date.toISOString().slice(0, 10) : instant(date);
  };
}

/** How far apart values are: in days, where they are instants. */
function distance(report) {
  const step = stepOf(report);
  return (value) => (step === null || !isNumber(value) ? significant(value) : `${significant((value * step) / 86400000)} days`);
}

/** What each bin, or each category, is called. */
function binLabels(report) {
  const bins = report.psi_bins;
  const days = writer(report, true);
  const write = bins && new Set(bins.edges.map(days)).size === bins.edges.length ? days : writer(report);
  if (!bins) return ((report.categories || {}).top || []).map((category) => category.value);
  const last = bins.reference.length - 1;
  return bins.reference.map((_, bin) => {
    if (last === 0) return "all values";
    if (bin === 0) return `< ${write(bins.edges[0])}`;
    if (bin === last) return `≥ ${write(bins.edges[last - 1])}`;
    return `${write(bins.edges[bin - 1])} to ${write(bins.edges[bin])}`;
  });
}

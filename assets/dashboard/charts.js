// Charts, drawn by uPlot (uPlot-LICENSE.txt). A chart is a figure with its meaning in words and its numbers in a table.

/** Charts of the page at hand: `{ place, make }`. */
let charts = [];

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function draw(chart) {
  if (chart.plot) chart.plot.destroy();
  const width = Math.max(chart.place.clientWidth, 200);
  const { options, data } = chart.make(width);
  chart.plot = new uPlot({ width, height: width < 480 ? 220 : 260, ...options }, data, chart.place);
  chart.width = width;
}

/** Draws what has come into sight; a page of nine charts shows its first ones at once. */
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    const chart = charts.find((one) => one.place === target);
    if (isIntersecting && chart && !chart.plot) draw(chart);
  }
}, { rootMargin: "200px" });

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const chart = charts.find((one) => one.place === target);
    if (chart && chart.plot && Math.abs(target.clientWidth - chart.width) > 1) draw(chart);
  }
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.filter((chart) => chart.plot).forEach(draw));

function clearCharts() {
  charts.forEach((chart) => chart.plot && chart.plot.destroy());
  charts = [];
  seen.disconnect();
  resized.disconnect();
}

/** A figure: title, what it says in a sentence, the chart, and its numbers as a table that is made when it is opened. */
function figure(title, summary, make, numbers) {
  const place = h("div", { class: "plot", role: "img", "aria-label": `${title}. ${summary}` });
  charts.push({ place, make });
  seen.observe(place);
  resized.observe(place);
  return h("figure", {},
    h("figcaption", {}, h("h2", {}, title), h("p", { class: "dim" }, summary)),
    place, folded("numbers as a table", () => table(`${title}: numbers`, ...numbers())));
}

const axis = (more) => ({ stroke: color("dim"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line"), width: 1 }, font: "12px system-ui, sans-serif", ...more });
const shares = (u, values) => values.map((value) => (value === null ? null : `${+(value * 100).toFixed(2)}%`));
const plain = (u, values) => values.map((value) => (value === null ? null : significant(value)));

const lineSeries = (label, stroke, value, more) => ({ label, stroke, width: 2, value: (u, v) => (v === null || v === undefined ? NONE : value(v)), spanGaps: false, points: { size: 5 }, ...more });
const dashed = (label, stroke, value) => lineSeries(label, stroke, value, { dash: [6, 4], width: 1.5, points: { show: false } });

/** Marks of time in UTC, as dates; of days closer together as times. The first one says the year. */
function timeMarks(u, splits) {
  const close = splits.length > 1 && splits[1] - splits[0] < 86400;
  return splits.map((seconds, index) => {
    const iso = new Date(seconds * 1000).toISOString();
    const first = index === 0 || iso.slice(0, 4) !== new Date(splits[index - 1] * 1000).toISOString().slice(0, 4);
    return `${close ? iso.slice(11, 16) : iso.slice(5, 10)}${first ? `\n${iso.slice(0, close ? 10 : 4)}` : ""}`;
  });
}

/** Steps between marks of time: whole days, where the runs lie that far apart. */
function timeSteps(times) {
  const apart = times.slice(1).map((time, index) => time - times[index]);
  return apart.length === 0 || Math.min(...apart) > 70000 ? [1, 2, 3, 7, 14, 28, 56, 91, 182, 365].map((days) => days * 86400) : undefined;
}

/** Zero and the powers of ten between two values, for a scale that has both; at most eight of them. */
function decades(least, low, high) {
  const first = Math.floor(Math.log10(least)) + 1;
  const found = [0];
  const step = Math.ceil((Math.log10(Math.max(Math.abs(low), Math.abs(high))) - first + 1) / 6) || 1;
  for (let power = first; 10 ** power <= Math.max(Math.abs(low), Math.abs(high)); power += step) found.push(10 ** power, -(10 ** power));
  return found.filter((value) => value >= low && value <= high).sort((a, b) => a - b);
}

/** A chart over the runs. `series` as uPlot takes them, `data` one array each. */
function overTime(runs, series, data, values, more) {
  const windows = runs.map((run) => run.window);
  const times = runs.map((run) => Date.parse(run.at) / 1000);
  return {
    options: {
      cursor: { drag: { x: true, y: false } },
      scales: { x: { time: true }, ...(more || {}).scales },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      axes: [axis({ values: timeMarks, incrs: timeSteps(times) }), axis({ values, size: (more || {}).size || 62 })],
      series: [{ label: "run", value: (u, v, s, i) => (i === null || i === undefined ? NONE : windows[i]) }, ...series],
      ...((more || {}).options || {}),
    },
    data: [times, ...data],
  };
}

/** Bars over the runs, one on top of the other, the most severe at the bottom. */
function levelBars(runs) {
  const names = ["critical", "warning", "info"];
  const counts = names.map((name) => runs.map((run) => run.summary[name]));
  const stacked = counts.map((_, top) => runs.map((_, run) => counts.slice(0, top + 1).reduce((sum, one) => sum + one[run], 0)));
  const bars = uPlot.paths.bars({ size: [0.8, 36] });
  const series = names.map((name, index) => ({
    label: name, fill: color(`${name}-fill`), stroke: color(`${name}-fill`), width: 0, paths: bars, points: { show: false },
    value: (u, v, s, i) => (i === null || i === undefined ? NONE : count(counts[index][i])),
  }));
  const whole = (u, values) => values.map((value) => (Number.isInteger(value) ? count(value) : null));
  // The highest stack first, so that lower ones lie before it.
  const chart = overTime(runs, series.reverse(), stacked.reverse(), whole, { scales: { y: { range: (u, low, high) => [0, Math.max(high * 1.05, 4)] } } });
  const times = chart.data[0];
  const step = times.length > 1 ? Math.min(...times.slice(1).map((time, index) => Math.max(time - times[index], 1))) : 86400;
  chart.options.scales.x.range = (u, low, high) => [low - step / 2, high + step / 2];
  return chart;
}

/** How the names of bins stand below them: level where they fit, else at a slant. */
function binAxis(labels, width) {
  const short = (text) => (text.length > 18 ? `${text.slice(0, 17)}…` : text);
  const level = (width - 90) / labels.length > Math.max(...labels.map((label) => short(label).length)) * 7.5;
  const place = level ? { size: 34 } : { rotate: -40, size: 92, gap: 4 };
  return axis({ splits: labels.map((_, index) => index), values: (u, at) => at.map((index) => short(labels[index] ?? "")), grid: { show: false }, space: 10, ...place });
}

/** Bars over bins. Each of `sides`: `{ label, fill, stroke, size, values, write }`. */
function binBars(labels, sides, values, width) {
  const series = sides.map((side) => ({
    label: side.label, fill: side.fill, stroke: side.stroke, width: side.width || 0, points: { show: false },
    paths: uPlot.paths.bars({ size: [side.size, 90] }), value: (u, v) => (v === null || v === undefined ? NONE : side.write(v)),
  }));
  return {
    options: {
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false, range: [-0.6, labels.length - 0.4] }, y: { range: (u, low, high) => [Math.min(low, 0), Math.max(high * 1.05, 0.01)] } },
      axes: [
        binAxis(labels, width),
        axis({ values, size: 56 }),
      ],
      series: [{ label: "bin", value: (u, v, s, i) => (i === null || i === undefined ? NONE : labels[i]) }, ...series],
    },
    data: [labels.map((_, index) => index), ...sides.map((side) => side.values)],
  };
}

/** Both ECDFs on one axis of values, and where they lie furthest apart. */
function ecdfLines(ecdf, write, mark, spread, isTime) {
  const at = [...new Set([...ecdf.reference, ...ecdf.current].map((point) => point[0]))].sort((a, b) => a - b);
  const column = (points) => {
    const known = new Map(points);
    // Before the first point a curve is 0, after its last 1.
    const [first, last] = [points[0][0], points[points.length - 1][0]];
    return at.map((x) => (known.has(x) ? known.get(x) : x < first ? 0 : x > last ? 1 : null));
  };
  const range = at[at.length - 1] - at[0];
  const wide = spread > 0 && range > 40 * spread;
  // Far apart, the two are drawn on a scale of powers of ten.
  const scale = at[0] > 0 ? { distr: 3 } : { distr: 4, asinh: spread };
  const marks = wide && !isTime && at[0] <= 0 ? { splits: (u, a, low, high) => decades(spread, low, high), filter: (u, splits) => splits } : {};
  const x = wide && !isTime ? { time: false, ...scale } : { time: false };
  const gap = ecdf.gap;
  const bar = (u) => {
    if (!gap) return;
    const [left, a, b] = [u.valToPos(gap.at, "x", true), u.valToPos(gap.reference, "y", true), u.valToPos(gap.current, "y", true)];
    Object.assign(u.ctx, { strokeStyle: color("text"), lineWidth: 2 * devicePixelRatio });
    u.ctx.beginPath();
    u.ctx.moveTo(left, a);
    u.ctx.lineTo(left, b);
    for (const end of [a, b]) { u.ctx.moveTo(left - 5 * devicePixelRatio, end); u.ctx.lineTo(left + 5 * devicePixelRatio, end); }
    u.ctx.stroke();
  };
  return {
    options: {
      scales: { x, y: { range: [0, 1.02] } },
      axes: [axis({ values: (u, values) => values.map((value) => (value === null ? "" : mark(value))), space: 90, ...marks }), axis({ values: shares, size: 56 })],
      series: [
        { label: "value", value: (u, v) => (v === null || v === undefined ? NONE : write(v)) },
        lineSeries("reference", color("ref-line"), percent, { spanGaps: true }),
        lineSeries("current", color("current"), percent, { spanGaps: true }),
      ],
      hooks: { draw: [bar] },
    },
    data: [at, column(ecdf.reference), column(ecdf.current)],
  };
}

/** PSI, or `words`' figure as parts of `full`, over the last runs as a line above their levels: small enough for a row. */
function spark(row, words, full) {
  const [width, height] = [120, 22];
  const step = width / Math.max(row.trend.length, 1);
  const highest = full || Math.max(0.2, ...row.trend.map((value) => value ?? 0));
  let path = "";
  let pen = "M";
  row.trend.forEach((value, index) => {
    if (value === null) { pen = "M"; return; }
    path += `${pen}${((index + 0.5) * step).toFixed(1)} ${(height - 1 - (value / highest) * (height - 3)).toFixed(1)}`;
    pen = "L";
  });
  const values = row.trend.filter((value) => value !== null);
  const label = words || (values.length ? `PSI over ${counted(values.length, "run", "runs")}: highest ${significant(Math.max(...values))}` : "no PSI");
  const strip = [...row.levels].map((level, index) =>
    svg("rect", { x: (index * step).toFixed(1), y: height + 1, width: Math.max(step - 0.6, 0.6).toFixed(1), height: 5, class: level === " " ? "none" : LEVELS[level] }));
  return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height + 7}`, width, height: height + 7, role: "img", "aria-label": label },
    svg("path", { d: path || "M0 0", class: "line" }), ...strip);
}

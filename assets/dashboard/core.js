// Data, elements and what every page shares. Data lies in scripts beside the page that call `gpudrift.receive`: a page
// that was opened from a disk may load scripts and nothing else. Text reaches the page as text, never as markup.

const gpudrift = (() => {
  const root = document.querySelector('meta[name="gpudrift-data"]').content;
  const received = new Map();
  const waiting = new Map();

  /** Called by the data scripts. */
  function receive(key, value) {
    received.set(key, value);
  }

  /** The data called `key`, loaded once. */
  function load(key) {
    if (received.has(key)) return Promise.resolve(received.get(key));
    if (waiting.has(key)) return waiting.get(key);
    const promise = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const failed = () => reject(new Error(`${root}/${key}.js could not be read. If these pages were written anew, reload this one.`));
      script.src = `${root}/${key}.js`;
      script.onload = () => (received.has(key) ? resolve(received.get(key)) : failed());
      script.onerror = failed;
      document.head.append(script);
    }).finally(() => waiting.delete(key));
    waiting.set(key, promise);
    return promise;
  }

  return { receive, load };
})();
window.gpudrift = gpudrift;

const LEVELS = ["ok", "info", "warning", "critical"];
const CAUSES = { pipeline: "pipeline bug", data: "real drift", unclear: "bug or drift" };

/** An element: attributes (functions are listeners, `false` and `null` are left out), then children, null left out. */
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element of a drawing. */
function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A name from somebody's data: its direction of writing stays inside it. */
const nameOf = (text) => h("bdi", {}, text);

const link = (href, ...children) => h("a", { href }, ...children);
const jobLink = (job) => `#/${encodeURIComponent(job)}`;
const featuresLink = (job, query) => `${jobLink(job)}/features${query ? `?${new URLSearchParams(query)}` : ""}`;
const featureLink = (job, name) => `${jobLink(job)}/features/${encodeURIComponent(name)}`;

/** A level in words and colour. */
const levelTag = (level) => h("span", { class: `level ${level}` }, level);
const causeTag = (cause, sure) =>
  h("span", { class: "cause" }, CAUSES[cause], sure === undefined ? null : `, ${percent(sure)} sure`);

/** A section with its heading. */
const section = (id, title, ...content) =>
  h("section", { "aria-labelledby": id }, h("h2", { id }, title), ...content);

/**
 * A table. Columns: `{ head, numeric, row, cell(item) }`; the cell with `row` is the row's header. Wide tables scroll in a
 * region that the keyboard reaches.
 */
function table(caption, columns, items, attributes) {
  const cell = (column, item) =>
    h(column.row ? "th" : "td", { class: [column.numeric && "n", column.class].filter(Boolean).join(" ") || null, scope: column.row && "row" }, column.cell(item));
  const head = columns.map((column) =>
    h("th", { scope: "col", class: [column.numeric && "n", column.class].filter(Boolean).join(" ") || null, "aria-sort": column.sorted }, column.head));
  return h("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    h("table", attributes,
      h("caption", { class: "hidden" }, caption),
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, items.map((item) => h("tr", {}, columns.map((column) => cell(column, item)))))));
}

/** Terms and what they are. */
const facts = (entries) =>
  h("dl", {}, entries.filter((entry) => entry[1] !== null && entry[1] !== "").map(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]));

/** Something long that opens when asked for; `content` is made then. */
function folded(summary, content) {
  const element = h("details", {}, h("summary", {}, summary));
  element.addEventListener("toggle", () => {
    if (element.open && element.children.length === 1) element.append(content());
  });
  return element;
}

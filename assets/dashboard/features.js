// The table of features: search, sort, filter. What is asked for stands in the address, so that it can be sent to others.

const PAGE = 50;

/** The columns of a table of features. */
const featureColumns = (job) => [
  { key: "level", head: "level", cell: (row) => levelTag(row.level), sort: (row) => LEVELS.indexOf(row.level), down: true },
  { key: "name", head: "feature", row: true, cell: (row) => link(featureLink(job, row.name), nameOf(row.name)), sort: (row) => row.name },
  { key: "type", head: "type", class: "wide", cell: (row) => row.type, sort: (row) => row.type },
  { key: "psi", head: "PSI", numeric: true, cell: (row) => three(row.psi), sort: (row) => row.psi, down: true },
  { key: "ks", head: "KS D", numeric: true, class: "wide", cell: (row) => three(row.ks), sort: (row) => row.ks, down: true },
  { key: "q", head: "q", numeric: true, class: "wide", cell: (row) => probability(row.q), sort: (row) => row.q },
  { key: "nulls", head: "null", numeric: true, class: "wide nowrap", cell: (row) => nullsText(row), sort: (row) => Math.abs(row.nulls[1] - row.nulls[0]), down: true },
  { key: "trend", head: "PSI and levels", class: "trend", cell: (row) => spark(row), sort: (row) => Math.max(...row.trend.map((value) => value ?? -1)), down: true },
  { key: "nights", head: "since", class: "wide nowrap", cell: (row) => (row.level === "ok" ? "" : nightsText(row.nights)), sort: (row) => row.nights, down: true },
  { key: "what", head: "what happened", class: "what", cell: (row) => (row.what ? [nameOf(row.what), " ", causeTag(row.cause, row.sure)] : ""), sort: (row) => row.what ?? null },
];

function nullsText(row) {
  const [before, after] = row.nulls.map(percent);
  return before === after ? before : `${before} → ${after}`;
}

/** What is asked for, from the query of the address. */
function asked(query) {
  const list = (name) => new Set((query.get(name) || "").split(",").filter(Boolean));
  return { q: query.get("q") || "", level: list("level"), kind: list("kind"), cause: list("cause"), sort: query.get("sort") || "", down: query.get("down") !== "0", page: Math.max(parseInt(query.get("page"), 10) || 1, 1) };
}

/** The same as a query; defaults are left out. */
function queryOf(ask) {
  const query = new URLSearchParams();
  if (ask.q) query.set("q", ask.q);
  for (const name of ["level", "kind", "cause"]) if (ask[name].size) query.set(name, [...ask[name]].join(","));
  if (ask.sort) { query.set("sort", ask.sort); if (!ask.down) query.set("down", "0"); }
  if (ask.page > 1) query.set("page", ask.page);
  return query.toString();
}

/** The rows that are asked for, in the order that is asked for; rows without a value stand last either way. */
function chosen(rows, ask, columns) {
  const words = ask.q.toLowerCase().split(/\s+/).filter(Boolean);
  const among = (set, value) => set.size === 0 || set.has(value);
  const found = rows.filter((row) => {
    const text = `${row.name} ${row.what || ""}`.toLowerCase();
    return words.every((word) => text.includes(word)) && among(ask.level, row.level) && among(ask.kind, row.kind) && among(ask.cause, row.cause);
  });
  const column = columns.find((one) => one.key === ask.sort);
  if (!column) return found;
  const sign = ask.down ? -1 : 1;
  const missing = (value) => value === null || value === undefined;
  return found.sort((a, b) => {
    const [x, y] = [column.sort(a), column.sort(b)];
    if (missing(x) || missing(y)) return missing(x) - missing(y);
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
}

/** The page of all features; `announce` tells readers of screens how many there are. */
function featuresPage(job, rows, query, announce) {
  const ask = asked(query);
  const columns = featureColumns(job.job);
  const place = h("div", { id: "results" });
  const shown = h("p", { class: "dim", id: "shown" });

  const changed = () => { ask.page = 1; show(); };
  const search = h("input", { type: "search", id: "search", value: ask.q, autocomplete: "off", spellcheck: "false", input: (event) => { ask.q = event.target.value; changed(); } });
  const box = (set, value, text, name) => h("label", { class: name || null },
    h("input", { type: "checkbox", value, checked: set.has(value), change: (event) => { event.target.checked ? set.add(value) : set.delete(value); changed(); } }), ` ${text}`);
  const group = (legend, ...boxes) => h("fieldset", {}, h("legend", {}, legend), boxes);
  const kinds = [...new Set(rows.map((row) => row.kind))].sort();

  const sortBy = (column) => () => {
    ask.down = ask.sort === column.key ? !ask.down : Boolean(column.down);
    ask.sort = column.key;
    changed();
    document.getElementById(`sort-${column.key}`).focus();
  };
  const sortable = (column) => ({
    ...column,
    head: h("button", { type: "button", id: `sort-${column.key}`, class: "sort", click: sortBy(column) }, column.head),
    sorted: ask.sort === column.key ? (ask.down ? "descending" : "ascending") : null,
  });
  const turn = (text, page, able) => h("button", { type: "button", disabled: !able, click: () => { ask.page = page; show(); place.scrollIntoView(); } }, text);

  function show() {
    const found = chosen(rows, ask, columns);
    const pages = Math.max(Math.ceil(found.length / PAGE), 1);
    ask.page = Math.min(ask.page, pages);
    const first = (ask.page - 1) * PAGE;
    const here = found.slice(first, first + PAGE);
    const text = found.length ? `${count(first + 1)} to ${count(first + here.length)} of ${counted(found.length, "feature", "features")}` : "No feature is like that.";
    shown.textContent = found.length === rows.length ? text : `${text} (${count(rows.length)} in all)`;
    announce(shown.textContent);
    const turns = pages > 1 ? h("nav", { class: "turn", "aria-label": "Pages of the table" }, turn("Previous", ask.page - 1, ask.page > 1), h("span", {}, `page ${ask.page} of ${count(pages)}`), turn("Next", ask.page + 1, ask.page < pages)) : null;
    place.replaceChildren(here.length ? table("Features", columns.map(sortable), here, { id: "features" }) : "", ...(turns ? [turns] : []));
    const text_of_query = queryOf(ask);
    history.replaceState(null, "", featuresLink(job.job) + (text_of_query ? `?${text_of_query}` : ""));
  }
  show();

  return [
    h("h1", { tabindex: "-1" }, "Features of ", nameOf(job.job)),
    h("form", { class: "tools", role: "search", submit: (event) => event.preventDefault() },
      h("div", {}, h("label", { for: "search" }, "Find"), search),
      group("level", LEVELS.slice().reverse().map((level) => box(ask.level, level, level, level))),
      group("cause", Object.entries(CAUSES).map(([cause, words]) => box(ask.cause, cause, words))),
      kinds.length > 1 ? group("kind", kinds.map((kind) => box(ask.kind, kind, kind))) : null),
    shown, place,
  ];
}

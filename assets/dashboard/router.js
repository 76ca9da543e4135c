// Addresses: `#/` all jobs, `#/JOB` one, `#/JOB/features?…` its features, `#/JOB/features/NAME` one of them; `#/JOB/models`
// its models, `#/JOB/models/NAME?version=…&segment=…` one of them.

(() => {
  const main = document.getElementById("main");
  const nav = document.getElementById("nav");
  const status = document.getElementById("status");
  let turn = 0;

  const announce = (text) => { status.textContent = text; };

  /** The parts of the address, decoded, and its query. */
  function address() {
    const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
    const decoded = (parts) => { try { return decodeURIComponent(parts.join("/")); } catch { return parts.join("/"); } };
    const parts = path.split("/").filter(Boolean);
    // A link of somebody else's making may leave the slashes of a name as they are.
    const at = parts.findIndex((part, index) => index > 0 && (part === "features" || part === "models"));
    const job = decoded(at < 0 ? parts : parts.slice(0, at));
    return { job, part: at < 0 ? "overview" : parts[at], name: at < 0 ? "" : decoded(parts.slice(at + 1)), query: new URLSearchParams(query || "") };
  }

  /** Where one is among the jobs and the parts of one: its overview, its features, its models. */
  function showNav(jobs, entry, part) {
    const item = (shown, here, href, text) => (shown ? h("a", { href, "aria-current": here ? "page" : null }, text) : null);
    nav.replaceChildren(...[
      item(jobs.length > 1, !entry, "#/", "Jobs"),
      ...(entry ? [
        item(entry.runs, part === "overview", jobLink(entry.name), "Overview"),
        item(entry.runs, part === "features", featuresLink(entry.name), "Features"),
        item(entry.models, part === "models", modelsLink(entry.name), "Models"),
      ] : []),
    ].filter(Boolean));
  }

  function show(title, make) {
    clearCharts();
    const content = make();
    document.title = title ? `${title} · drift` : "Drift";
    main.replaceChildren(...content.flat(Infinity).filter(Boolean));
    main.removeAttribute("aria-busy");
    performance.mark("shown");
  }

  /** The page of one feature: the file that holds it is the one of its place in the order of severity. */
  async function oneFeature(entry, job, rows, name) {
    const row = rows.find((one) => one.name === name);
    if (!row) throw new Error(`The latest run of ${job.job} has no feature ${name}.`);
    const pages = await gpudrift.load(`${entry.id}/${Math.floor(row.n / job.chunk)}`);
    const page = pages.find((one) => one.n === row.n && one.report.name === name);
    if (!page) throw new Error("The data was written anew. Reload this page.");
    return () => featurePage(job, rows, page);
  }

  /** The page of one model, over all rows or those of the segment that the query names. */
  async function oneModel(entry, page, name, query) {
    const row = page.models.find((one) => one.name === name);
    if (!row) throw new Error(`Job ${entry.name} has no model ${name}.`);
    const model = await gpudrift.load(`${entry.id}/models/${row.n}`);
    const k = model.segments.indexOf(query.get("segment"));
    if (query.get("segment") && k < 0) throw new Error(`Model ${name} has no segment ${query.get("segment")}.`);
    const shown = k < 0 ? model.versions : (await gpudrift.load(`${entry.id}/models/${row.n}-${k}`)).versions;
    return () => modelPage(entry, model, shown, query);
  }

  /** The model, and the version, of a subject like `loan, version v2`. */
  function modelOf(models, subject) {
    const named = (row) => subject === row.name || subject.startsWith(`${row.name}, version `);
    const row = models.models.filter(named).sort((a, b) => b.name.length - a.name.length)[0];
    return row ? { name: row.name, query: subject === row.name ? {} : { version: subject.slice(row.name.length + 10) } } : null;
  }

  async function route(first) {
    const mine = ++turn;
    main.setAttribute("aria-busy", "true");
    const { job: asked, part, name, query } = address();
    const jobs = await gpudrift.load("jobs");
    const open = (entry, here, title, make) => finish(mine, first, jobs, entry, here, title, make);
    if (!asked && jobs.length !== 1) return open(null, null, "Jobs", () => jobsPage(jobs));
    const wanted = asked || jobs[0].name;
    const entry = jobs.find((job) => job.name === wanted);
    if (!entry) throw new Error(`There is no job ${wanted} here.`);
    const models = entry.models || entry.decisions ? await gpudrift.load(`${entry.id}/models`) : null;
    // Alerts link to what they are about as if it were a feature.
    const about = part === "features" && name.startsWith("model: ") && models ? modelOf(models, name.slice(7)) : null;
    if (about) return open(entry, "models", about.name, await oneModel(entry, models, about.name, new URLSearchParams(about.query)));
    if (part === "models" || !entry.runs) {
      if (!models) throw new Error(`Job ${entry.name} has no models.`);
      if (!name) return open(entry, "models", `Models of ${entry.name}`, () => modelsPage(entry, models));
      return open(entry, "models", name, await oneModel(entry, models, name, query));
    }
    const job = await gpudrift.load(`${entry.id}/job`);
    if (part === "overview" || name.startsWith("whole run: ")) return open(entry, "overview", job.job, () => overviewPage(job, models));
    const rows = await gpudrift.load(`${entry.id}/features`);
    if (!name) return open(entry, part, `Features of ${job.job}`, () => featuresPage(job, rows, query, announce));
    return open(entry, part, name, await oneFeature(entry, job, rows, name));
  }

  /** Shows a page, unless another one was asked for meanwhile. */
  function finish(mine, first, jobs, entry, part, title, make) {
    if (mine !== turn) return;
    showNav(jobs, entry, part);
    show(title, make);
    if (first) return;
    // Readers of screens and keyboards begin at the heading of the new page.
    window.scrollTo(0, 0);
    main.querySelector("h1").focus({ preventScroll: true });
    announce(document.title);
  }

  const go = (first) => route(first).catch((error) => show("Error", () => [h("h1", { tabindex: "-1" }, "This cannot be shown"), h("p", { role: "alert" }, error.message), h("p", {}, link("#/", "All jobs"))]));
  window.addEventListener("hashchange", () => go(false));
  go(true);
})();

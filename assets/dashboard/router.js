// Addresses: `#/` all jobs, `#/JOB` one, `#/JOB/features?…` its features, `#/JOB/features/NAME` one of them.

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
    const at = parts.indexOf("features", 1);
    const job = decoded(at < 0 ? parts : parts.slice(0, at));
    return { job, features: at > 0, feature: at > 0 ? decoded(parts.slice(at + 1)) : "", query: new URLSearchParams(query || "") };
  }

  function showNav(jobs, job, features) {
    const current = (on) => (on ? "page" : null);
    const jobLinks = jobs.length > 1 ? h("a", { href: "#/", "aria-current": current(!job) }, "Jobs") : null;
    nav.replaceChildren(...[jobLinks, job ? h("a", { href: jobLink(job.job), "aria-current": current(!features) }, "Overview") : null,
      job ? h("a", { href: featuresLink(job.job), "aria-current": current(features) }, "Features") : null].filter(Boolean));
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

  async function route(first) {
    const mine = ++turn;
    main.setAttribute("aria-busy", "true");
    const { job: asked, features, feature, query } = address();
    const jobs = await gpudrift.load("jobs");
    if (!asked && jobs.length !== 1) return finish(mine, first, jobs, null, false, "Jobs", () => jobsPage(jobs));
    const name = asked || jobs[0].name;
    const entry = jobs.find((job) => job.name === name);
    if (!entry) throw new Error(`There is no job ${name} here.`);
    const job = await gpudrift.load(`${entry.id}/job`);
    if (!features) return finish(mine, first, jobs, job, false, job.job, () => overviewPage(job));
    const rows = await gpudrift.load(`${entry.id}/features`);
    if (!feature) return finish(mine, first, jobs, job, true, `Features of ${job.job}`, () => featuresPage(job, rows, query, announce));
    const page = await oneFeature(entry, job, rows, feature);
    return finish(mine, first, jobs, job, true, feature, page);
  }

  /** Shows a page, unless another one was asked for meanwhile. */
  function finish(mine, first, jobs, job, features, title, make) {
    if (mine !== turn) return;
    showNav(jobs, job, features);
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

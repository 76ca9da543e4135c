//! A real browser, without a window, that looks at pages and answers questions about them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Names under which distributions install one.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser: what `CHROMIUM` names, or one on the path. `None` where browser tests are turned off.
///
/// # Panics
/// When there is none, or when CI turned it off: a test that did not run is not one that passed.
pub(crate) fn browser(test: &str) -> Option<PathBuf> {
    if std::env::var("GPUDRIFT_TEST_BROWSER").is_ok_and(|value| value == "off") {
        assert!(std::env::var("CI").is_err(), "{test}: browser tests are turned off, and this is CI");
        let said = writeln!(
            std::io::stderr(),
            "{test}: DID NOT RUN, browser tests are turned off by GPUDRIFT_TEST_BROWSER=off"
        );
        said.unwrap();
        return None;
    }
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let browser = named.or_else(|| found.into_iter().find(|file| file.is_file()));
    assert!(
        browser.is_some(),
        "{test}: there is no chromium. tests/run.sh installs it where there is apt-get; CHROMIUM names another one; \
         GPUDRIFT_TEST_BROWSER=off turns these tests off."
    );
    browser
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// By night.
    pub(crate) dark: bool,
    /// On a phone.
    pub(crate) phone: bool,
}

/// What `expression` (JavaScript, may be a promise) gives on the page of `site` at `address`, once that is shown.
pub(crate) fn evaluate(browser: &Path, site: &Path, address: &str, look: Look, expression: &str) -> Value {
    let index = std::fs::read_to_string(site.join("index.html")).unwrap();
    // Beside the page, with the same scripts, and one more that asks and then leaves the answer as the only text.
    let probe = format!(
        "<script>(() => {{ addEventListener('error', (e) => {{ window.broken = window.broken || e.message; }});
         addEventListener('unhandledrejection', (e) => {{ window.broken = String(e.reason); }});
         const asked = setInterval(async () => {{
           if (!performance.getEntriesByName('shown').length && !window.broken) return;
           clearInterval(asked);
           await new Promise((done) => setTimeout(done, 300));
           let answer;
           try {{ answer = {{ value: await ({expression}), broken: window.broken }}; }} catch (e) {{ answer = {{ broken: String(e) }}; }}
           document.documentElement.innerHTML = '<body>';
           document.body.textContent = '@@' + encodeURIComponent(JSON.stringify(answer)) + '@@';
         }}, 20); }})();</script></body>"
    );
    let page = tempfile::Builder::new().prefix("probe-").suffix(".html").tempfile_in(site).unwrap();
    std::fs::write(page.path(), index.replace("</body>", &probe)).unwrap();
    let text = dump(browser, &format!("file://{}{address}", page.path().display()), look);
    let answer = text.split("@@").nth(1).unwrap_or_else(|| panic!("no answer from {address}:\n{text}"));
    let answer = percent_encoding::percent_decode_str(answer).decode_utf8().unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["broken"].is_null(), "{address}: {}", answer["broken"]);
    answer["value"].clone()
}

/// The document at `url` after its scripts have run.
pub(crate) fn dump(browser: &Path, url: &str, look: Look) -> String {
    let profile = tempfile::tempdir().unwrap();
    let size = if look.phone { "390,844" } else { "1280,900" };
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"]);
    command.args(["--virtual-time-budget=20000", "--hide-scrollbars"]);
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg(format!("--window-size={size}"));
    if look.dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    let output = command.args(["--dump-dom", url]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What is wrong with a page for people who cannot see it, use no mouse, or see weak contrasts badly.
#[allow(dead_code, reason = "pages of a server are looked at once")]
pub(crate) const WRONG: &str = r#"(() => {
  for (const one of document.querySelectorAll('details')) one.open = true;
  const wrong = [];
  const all = (query) => [...document.querySelectorAll(query)];
  if (all('h1').length !== 1) wrong.push('not one h1');
  if (document.documentElement.lang !== 'en') wrong.push('no language');
  all('table:not(.u-legend)').forEach((table) => { if (!table.caption) wrong.push('a table without caption'); });
  all('main th:not(.u-legend th)').forEach((th) => { if (!th.scope) wrong.push('th without scope: ' + th.textContent); });
  all('input').forEach((input) => { if (!input.labels.length) wrong.push('an input without label'); });
  all('.plot').forEach((plot) => { if (!plot.getAttribute('aria-label')) wrong.push('a chart without words'); });
  all('a, button').forEach((one) => { if (!one.textContent.trim()) wrong.push('a link without text'); });
  const levels = all('h1, h2, h3').map((one) => Number(one.tagName[1]));
  levels.forEach((level, index) => { if (index && level > levels[index - 1] + 1) wrong.push('a heading is skipped'); });
  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const luminance = (parts) => parts.slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (one) => { for (let e = one; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.99) return c; } return [255, 255, 255]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let checked = 0;
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ['SCRIPT', 'NOSCRIPT', 'STYLE'].includes(one.tagName) || one.disabled || !one.getClientRects().length) continue;
    const [a, b] = [luminance(rgb(getComputedStyle(one).color)), luminance(behind(one))].sort((x, y) => y - x);
    checked += 1;
    if ((a + 0.05) / (b + 0.05) < 4.5) wrong.push('contrast of ' + walker.currentNode.data.slice(0, 30) + ': ' + ((a + 0.05) / (b + 0.05)).toFixed(2));
  }
  if (document.documentElement.scrollWidth > innerWidth) wrong.push('the page is wider than the window: ' + document.documentElement.scrollWidth);
  return { wrong: [...new Set(wrong)], checked, back: getComputedStyle(document.body).backgroundColor };
})()"#;

/// Nothing is [`WRONG`] with the pages at these addresses by day, by night and on a phone.
#[allow(dead_code, reason = "pages of a server are looked at once")]
pub(crate) fn are_for_everybody(browser: &Path, pages: &Path, addresses: &[&str]) {
    for address in addresses {
        for look in [Look::default(), Look { dark: true, ..Look::default() }, Look { phone: true, ..Look::default() }] {
            let answer = evaluate(browser, pages, address, look, WRONG);
            assert_eq!(answer["wrong"], serde_json::json!([]), "{address} {look:?}");
            assert!(answer["checked"].as_u64().unwrap() > 10);
            assert_eq!(answer["back"] == "rgb(255, 255, 255)", !look.dark, "{address} {look:?}");
        }
    }
}

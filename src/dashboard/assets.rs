//! The files that are the same for every history: style, script, and the charting library with its licence.

use askama::Template;

/// A file of the pages.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name beside the page.
    pub name: &'static str,
    /// What a server calls it.
    pub content_type: &'static str,
    /// Its content.
    pub text: &'static str,
}

/// What a server calls a script.
pub const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Every file but the page and the data.
pub static ASSETS: &[Asset] = &[
    Asset {
        name: "dashboard.css",
        content_type: "text/css; charset=utf-8",
        text: concat!(
            include_str!("../../assets/dashboard/vendor/uPlot.min.css"),
            "\n",
            include_str!("../../assets/dashboard/dashboard.css")
        ),
    },
    Asset {
        name: "dashboard.js",
        content_type: SCRIPT,
        text: concat!(
            "\"use strict\";\n(() => {\n",
            include_str!("../../assets/dashboard/core.js"),
            include_str!("../../assets/dashboard/format.js"),
            include_str!("../../assets/dashboard/charts.js"),
            include_str!("../../assets/dashboard/overview.js"),
            include_str!("../../assets/dashboard/features.js"),
            include_str!("../../assets/dashboard/feature.js"),
            include_str!("../../assets/dashboard/models.js"),
            include_str!("../../assets/dashboard/model.js"),
            include_str!("../../assets/dashboard/router.js"),
            "})();\n",
        ),
    },
    Asset {
        name: "uPlot.js",
        content_type: SCRIPT,
        text: include_str!("../../assets/dashboard/vendor/uPlot.iife.min.js"),
    },
    Asset {
        name: "uPlot-LICENSE.txt",
        content_type: "text/plain; charset=utf-8",
        text: include_str!("../../assets/dashboard/vendor/uPlot-LICENSE"),
    },
];

/// The page, which the script fills. Without scripts it says how the latest runs went.
#[derive(Template)]
#[template(path = "dashboard.html")]
pub(super) struct Shell<'s> {
    /// Where the data lies, beside the page.
    pub(super) data: &'s str,
    pub(super) version: &'static str,
    pub(super) jobs: Vec<ShellJob<'s>>,
    pub(super) models: Vec<ShellModel>,
}

/// A job, for readers without scripts.
pub(super) struct ShellJob<'s> {
    pub(super) name: &'s str,
    pub(super) window: &'s str,
    pub(super) counts: [(&'static str, u64); 4],
}

/// A model, for readers without scripts.
pub(super) struct ShellModel {
    pub(super) job: String,
    pub(super) name: String,
    pub(super) window: String,
    pub(super) level: &'static str,
}

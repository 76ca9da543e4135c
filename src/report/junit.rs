//! JUnit XML, for pages of CI servers: one suite a table of features (and segment), one case a feature.
//!
//! | report | JUnit |
//! |---|---|
//! | a feature at WARNING or CRITICAL | a failure, of the type `warning` or `critical`, with all that there is to say |
//! | a feature at INFO or OK | a success; what there is to say stands in `system-out` |
//! | a skipped feature | skipped, with the reason; one that failed to read is an error |
//! | a finding about the whole run | a case of the suite `run`, a failure from WARNING on |
//!
//! No clock and no machine stand in it, so equal findings are equal files.

use std::collections::BTreeMap;
use std::io::{self, Write};

use indexmap::IndexMap;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::{FeatureReport, Report, Sink, SinkOptions, Skipped};
use crate::quality::Finding;
use crate::verdict::Level;

/// One case a feature.
pub(super) struct JUnit;

impl Sink for JUnit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn about(&self) -> &'static str {
        "JUnit XML for CI: one case a feature"
    }

    fn write(&self, report: &Report, _: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
        let mut suites: IndexMap<String, TestSuite> = IndexMap::new();
        let mut add = |suite: String, case: TestCase| {
            suites.entry(suite).or_insert_with_key(|name| TestSuite::new(name.as_str())).add_test_case(case);
        };
        for finding in report.findings.iter().filter(|finding| finding.feature.is_none()) {
            add("run".to_owned(), of_run(finding));
        }
        for feature in &report.features {
            let segment = feature.segment.as_ref().map_or_else(String::new, segment);
            let table = table(&feature.name);
            let mut case = of_feature(feature, &report.findings);
            case.set_classname(table);
            add(format!("{table}{segment}"), case);
        }
        for skipped in &report.skipped {
            let table = table(&skipped.name);
            let mut case = of_skipped(skipped);
            case.set_classname(table);
            add(table.to_owned(), case);
        }
        let mut junit = quick_junit::Report::new(report.run.job.as_deref().unwrap_or("gpudrift"));
        junit.add_test_suites(suites.into_values());
        let text = junit.to_string().map_err(|error| io::Error::other(error.to_string()))?;
        // The two characters beside those of control that no XML may hold.
        out.write_all(text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}").as_bytes())
    }
}

/// What stands before the colon: `user` of `user:age`.
fn table(feature: &str) -> &str {
    feature.split_once(':').map_or("features", |(table, _)| table)
}

fn segment(segment: &BTreeMap<String, Option<String>>) -> String {
    let field =
        |(column, value): (&String, &Option<String>)| format!("{column}={}", value.as_deref().unwrap_or("null"));
    format!(" [{}]", segment.iter().map(field).collect::<Vec<_>>().join(", "))
}

fn of_feature(feature: &FeatureReport, findings: &[Finding]) -> TestCase {
    let mut said = feature.why();
    let of_it = findings.iter().filter(|finding| finding.feature.as_ref() == Some(&feature.name));
    for finding in of_it {
        if !said.contains(&finding.message) {
            said.push(finding.message.clone());
        }
    }
    let mut case = case(&feature.name, feature.level, &said);
    for metric in ["psi", "ks_statistic"] {
        if let Some(value) = feature.number(metric) {
            case.add_property(Property::new(metric, value.to_string()));
        }
    }
    if let Some(q) = feature.test().1 {
        case.add_property(Property::new("q_value", q.to_string()));
    }
    case
}

fn of_run(finding: &Finding) -> TestCase {
    let mut case = case(&finding.check, finding.level, std::slice::from_ref(&finding.message));
    case.set_classname("run");
    case
}

fn case(name: &str, level: Level, said: &[String]) -> TestCase {
    if level < Level::Warning {
        let mut case = TestCase::new(name, TestCaseStatus::success());
        if !said.is_empty() {
            case.set_system_out(said.join("\n"));
        }
        return case;
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(level.name()).set_description(said.join("\n"));
    if let Some(first) = said.first() {
        status.set_message(first.as_str());
    }
    TestCase::new(name, status)
}

fn of_skipped(skipped: &Skipped) -> TestCase {
    let mut status = if skipped.is_failure() {
        TestCaseStatus::non_success(NonSuccessKind::Error)
    } else {
        TestCaseStatus::skipped()
    };
    status.set_message(skipped.reason.as_str());
    TestCase::new(skipped.name.as_str(), status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        JUnit.write(report, &SinkOptions::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn count(node: &roxmltree::Node<'_, '_>, name: &str) -> usize {
        node.descendants().filter(|node| node.has_tag_name(name)).count()
    }

    #[test]
    fn every_feature_is_a_case_and_the_numbers_of_a_suite_are_those_of_its_cases() {
        for report in [samples::report(), samples::odd(), samples::empty()] {
            let text = written(&report);
            let document = roxmltree::Document::parse(&text).unwrap();
            let root = document.root_element();
            assert!(root.has_tag_name("testsuites"));
            let of_run = report.findings.iter().filter(|finding| finding.feature.is_none()).count();
            assert_eq!(count(&root, "testcase"), report.features.len() + report.skipped.len() + of_run);
            let alarms = report.features.iter().filter(|feature| feature.level >= Level::Warning).count();
            let of_run = report.findings.iter().filter(|one| one.feature.is_none() && one.level >= Level::Warning);
            assert_eq!(count(&root, "failure"), alarms + of_run.count());
            let errors = report.skipped.iter().filter(|skipped| skipped.is_failure()).count();
            assert_eq!((count(&root, "error"), count(&root, "skipped")), (errors, report.skipped.len() - errors));
            for suite in root.children().filter(|node| node.has_tag_name("testsuite")) {
                for (attribute, tag) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error")] {
                    assert_eq!(
                        suite.attribute(attribute),
                        Some(count(&suite, tag).to_string().as_str()),
                        "{attribute}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_failure_says_what_happened() {
        let report = samples::report();
        let text = written(&report);
        let document = roxmltree::Document::parse(&text).unwrap();
        let worst = report.by_severity()[0];
        let case = document.descendants().find(|node| node.attribute("name") == Some(worst.name.as_str())).unwrap();
        assert_eq!(case.attribute("classname"), Some(table(&worst.name)));
        let failure = case.children().find(|node| node.has_tag_name("failure")).unwrap();
        assert_eq!(failure.attribute("type"), Some(worst.level.name()));
        for reason in &worst.reasons {
            assert!(failure.text().unwrap().contains(reason), "{text}");
        }
        assert_eq!(failure.attribute("message"), worst.why().first().map(String::as_str));
    }

    #[test]
    fn what_xml_cannot_hold_does_not_break_it() {
        let mut report = samples::report();
        report.features[0].name = "user:<a & \"b\">\u{1}\u{1b}[31m\u{fffe}".to_owned();
        let text = written(&report);
        assert!(roxmltree::Document::parse(&text).is_ok(), "{text}");
    }

    #[test]
    fn segments_are_suites_of_their_own() {
        let mut report = samples::report();
        report.features[0].name = "user:age".to_owned();
        report.features[0].segment = Some([("country".to_owned(), None)].into_iter().collect());
        assert!(written(&report).contains("name=\"user [country=null]\""));
    }
}

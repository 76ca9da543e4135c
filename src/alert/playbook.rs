//! What to do about an incident: a template that is filled from its findings, and the URLs that are templates too.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::AlertError;
use super::config::AlertsConfig;
use super::message::{Links, Message};

/// The playbook that is shipped: triage, investigate, mitigate, fix, document.
pub const PLAYBOOK: &str = include_str!("../../templates/playbook.md");

/// The templates of a configuration, parsed.
pub(super) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// Parses what the configuration names, and tries each with a made-up message: a mistake is found before a night
    /// depends on it.
    pub(super) fn of(config: &AlertsConfig) -> Result<Self, AlertError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let lines = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(lines.expect("the delimiters are the usual ones"));
        // URLs and Markdown, not HTML.
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_filter("percent", crate::format::percent);
        environment.add_filter("short", crate::format::significant);
        environment.add_filter("urlencode", |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        });
        let playbook = match &config.playbook {
            None => PLAYBOOK.to_owned(),
            Some(file) => {
                std::fs::read_to_string(file).map_err(|source| AlertError::Playbook { file: file.clone(), source })?
            }
        };
        let named = [("dashboard", &config.dashboard), ("runbook", &config.runbook), ("playbook", &Some(playbook))];
        for (name, text) in named {
            if let Some(text) = text {
                let wrong = |source| AlertError::Template { key: name, source: Box::new(source) };
                environment.add_template_owned(name, text.clone()).map_err(wrong)?;
            }
        }
        let templates = Self { environment };
        let sample = super::compose::test_message("");
        for (name, _) in named {
            templates.rendered(name, &sample)?;
        }
        Ok(templates)
    }

    /// The links and the playbook of a message, filled from the message itself.
    pub(super) fn fill(&self, message: &mut Message) -> Result<(), AlertError> {
        message.links =
            Links { dashboard: self.rendered("dashboard", message)?, runbook: self.rendered("runbook", message)? };
        if message.action == super::message::Action::Trigger {
            message.playbook = self.rendered("playbook", message)?;
        }
        Ok(())
    }

    fn rendered(&self, name: &'static str, message: &Message) -> Result<Option<String>, AlertError> {
        let Ok(template) = self.environment.get_template(name) else { return Ok(None) };
        // In an URL a name is text inside a path or a query; the playbook wants it as it is.
        let context = context! {
            run => &message.run.name,
            window => &message.run.window,
            facts => Value::from(Serde(&message.run)),
            ..Value::from(Serde(message))
        };
        let text = template.render(context);
        text.map(Some).map_err(|source| AlertError::Template { key: name, source: Box::new(source) })
    }
}

//! The JSON Schema of `gpudrift.toml`, for editors.

use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::sections::Sections;

/// The schema of the file, derived from the structs that read it.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema: Schema =
        SchemaSettings::draft07().for_deserialize().into_generator().into_root_schema_for::<Sections>();
    schema.insert(
        "description".to_owned(),
        "Configuration of gpudrift. Relative paths are relative to the folder of the file.".into(),
    );
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ScanOptions, Settings};
    use serde_json::Value;

    #[test]
    fn the_schema_knows_every_key_and_refuses_others() {
        let schema = schema();
        let keys = |name: &str| -> Vec<String> {
            let found = if name.is_empty() { &schema } else { &schema["definitions"][name] };
            assert_eq!(found["additionalProperties"], Value::Bool(false), "{name}");
            found["properties"].as_object().unwrap().keys().cloned().collect()
        };
        assert!(keys("").contains(&"rule".to_owned()));
        let (mut settings, mut rule) = (keys("Settings"), keys("Rule"));
        rule.retain(|key| key != "match");
        settings.sort();
        rule.sort();
        let mut known: Vec<_> = Settings::KEYS.iter().map(|key| (*key).to_owned()).collect();
        known.sort();
        assert_eq!((&settings, &rule), (&known, &known));
        let command = <ScanOptions as clap::Args>::augment_args(clap::Command::new("scan"));
        let flags: Vec<_> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
        for key in keys("ScanOptions") {
            assert!(flags.contains(&key), "{key}");
        }
        let alerts = &schema["definitions"]["AlertsConfig"];
        assert_eq!(alerts["additionalProperties"]["$ref"], "#/definitions/ChannelConfig", "{alerts}");
        assert!(alerts["properties"]["cooldown"].is_object() && keys("ChannelConfig").contains(&"url_env".to_owned()));
        assert_eq!(schema["definitions"]["SinkConfig"]["properties"]["format"]["enum"][0], "table");
    }
}

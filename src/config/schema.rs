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
        [&mut settings, &mut rule].into_iter().for_each(|keys| keys.retain(|key| key != "for"));
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

    /// The part of the schema that `node` is, behind references and beside null.
    fn resolved<'s>(schema: &'s Value, node: &'s Value) -> &'s Value {
        if node["$ref"] == "#" {
            return schema;
        }
        let reference = node["$ref"].as_str().and_then(|path| path.strip_prefix("#/definitions/"));
        let inner = reference.map(|name| &schema["definitions"][name]);
        let choice = || ["anyOf", "allOf"].iter().find_map(|key| node[*key].as_array()).map(|parts| &parts[0]);
        inner.or_else(choice).map_or(node, |inner| resolved(schema, inner))
    }

    /// `value` at a place of the file; `*` is any name, `[]` an item of a list.
    fn nested(place: &[String], value: Value) -> Value {
        place.iter().rev().fold(value, |inner, step| match step.as_str() {
            "[]" => Value::from(vec![inner]),
            "*" => serde_json::json!({ "anything": inner }),
            key => serde_json::json!({ key: inner }),
        })
    }

    /// What the parser says to a value.
    fn error(value: &Value) -> String {
        let text = toml::to_string(value).unwrap();
        toml::from_str::<Sections>(&text).map_or_else(|error| error.message().to_owned(), |_| String::new())
    }

    /// Holds every table below `place` against the parser: a key that neither knows is refused with the list of all keys that
    /// the parser knows, which must be the properties of the schema. Counts the tables.
    fn hold(schema: &Value, node: &Value, place: &[String], held: &mut Vec<String>) {
        let table = resolved(schema, node);
        let below = |step: &str| [place, &[step.to_owned()]].concat();
        if table["items"].is_object() {
            hold(schema, &table["items"], &below("[]"), held);
        }
        if table["additionalProperties"].is_object() {
            hold(schema, &table["additionalProperties"], &below("*"), held);
        }
        let Some(properties) = table["properties"].as_object() else { return };
        // A job holds what the file holds.
        if place.iter().filter(|step| *step == "job").count() > 1 {
            return;
        }
        let said = error(&nested(place, serde_json::json!({ "no_such_key": "x" })));
        if table["additionalProperties"] == Value::Bool(false) {
            let (_, listed) = said.split_once("expected").unwrap_or_else(|| panic!("{place:?}: {said}"));
            let mut known: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
            let mut promised: Vec<&str> = properties.keys().map(String::as_str).collect();
            known.sort_unstable();
            promised.sort_unstable();
            assert_eq!(promised, known, "schema and parser at {place:?}");
            held.push(place.join("."));
        }
        for (key, property) in properties {
            hold(schema, property, &below(key), held);
        }
    }

    #[test]
    fn the_schema_has_the_keys_that_the_parser_accepts_table_by_table() {
        let (schema, mut held) = (schema(), Vec::new());
        hold(&schema, &schema, &[], &mut held);
        for place in ["", "lineage", "alerts.*", "history", "retrain", "model.*", "rule.[]", "job.*", "job.*.alerts.*"]
        {
            assert!(held.iter().any(|known| known == place), "{place:?} is not among {held:?}");
        }
    }

    /// `[alerts]` is read by hand, with channels of any name beside its options.
    #[test]
    fn alerts_reads_every_option_of_the_schema_and_has_no_other() {
        let schema = schema();
        let properties = schema["definitions"]["AlertsConfig"]["properties"].as_object().unwrap();
        for (key, property) in properties {
            let kind = resolved(&schema, property)["type"].clone();
            let number = kind == "integer" || kind.as_array().is_some_and(|kinds| kinds.contains(&"integer".into()));
            let value = if number { Value::from(3) } else { Value::from("3 days") };
            let text = toml::to_string(&serde_json::json!({ "alerts": { key: value } })).unwrap();
            let read = toml::from_str::<Sections>(&text).unwrap_or_else(|error| panic!("{key}: {error}")).alerts;
            assert!(read.channels.is_empty() && read != crate::alert::AlertsConfig::default(), "{key} is not read");
        }
        // The fields of the struct, by its Debug form.
        let debug = format!("{:?}", crate::alert::AlertsConfig::default());
        let fields = debug.split(['{', ',']).skip(1).filter_map(|part| part.split_once(':'));
        let fields: Vec<&str> = fields.map(|(name, _)| name.trim()).filter(|name| *name != "channels").collect();
        let mut promised: Vec<&str> = properties.keys().map(String::as_str).collect();
        promised.sort_unstable();
        let mut known = fields.clone();
        known.sort_unstable();
        assert_eq!(promised, known);
    }
}

//! The JSON Schema (draft 2020-12).

use serde_json::{Map, Value, json};
use toml::de::DeValue;

use crate::spec::{Format, KeySpec, Kind, Presence, ROOT, TableSpec, tables};

/// The configuration's JSON Schema. It accepts every file that [`crate::parse`] accepts and refuses
/// unknown keys and wrong types; what takes more than a pattern to check is left to the reader.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!("gateway.toml"));
    schema.extend(table(&ROOT));
    let inner = tables().into_iter().filter(|spec| spec.id != ROOT.id);
    let definitions: Map<String, Value> =
        inner.map(|spec| (spec.id.to_owned(), Value::Object(table(spec)))).collect();
    schema.insert("$defs".into(), Value::Object(definitions));
    Value::Object(schema)
}

fn table(spec: &TableSpec) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("description".into(), json!(spec.doc));
    schema.insert("type".into(), json!("object"));
    let fixed = spec.keys().filter(|key| key.chosen_names().is_none());
    let properties: Map<String, Value> =
        fixed.map(|key| (key.name.to_owned(), property(key))).collect();
    schema.insert("properties".into(), Value::Object(properties));
    let chosen = spec
        .keys()
        .filter_map(|key| Some((key.chosen_names()?.pattern()?.to_owned(), property(key))));
    let chosen: Map<String, Value> = chosen.collect();
    if !chosen.is_empty() {
        schema.insert("patternProperties".into(), Value::Object(chosen));
    }
    schema.insert("additionalProperties".into(), json!(false));
    let required: Vec<&str> = spec
        .keys()
        .filter(|key| matches!(key.presence, Presence::Required(_)))
        .map(|key| key.name)
        .collect();
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    if !spec.one_of.is_empty() {
        let each = spec.one_of.iter().map(|key| json!({ "required": [key] }));
        schema.insert("oneOf".into(), each.collect());
    }
    schema
}

fn property(key: &KeySpec) -> Value {
    let mut schema = kind(&key.kind);
    schema.insert("description".into(), json!(key.doc));
    if let Presence::Default(text) = key.presence {
        schema.insert("default".into(), value(text));
    }
    schema.insert("examples".into(), json!([value(key.example)]));
    Value::Object(schema)
}

fn kind(kind: &Kind) -> Map<String, Value> {
    let schema = match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Count { most } => json!({ "type": "integer", "minimum": 1, "maximum": most }),
        Kind::Text(format) => text(*format),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Number { least, most, only: [] } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Number { only, .. } => json!({ "enum": only }),
        Kind::List { of, may_be_empty } => {
            json!({ "type": "array", "items": self::kind(of), "minItems": u8::from(!may_be_empty) })
        }
        Kind::Table(spec) => json!({ "$ref": format!("#/$defs/{}", spec.id) }),
        Kind::Variants { tables, .. } => {
            let tables =
                tables.iter().map(|spec| json!({ "$ref": format!("#/$defs/{}", spec.id) }));
            json!({ "anyOf": tables.collect::<Vec<_>>() })
        }
        Kind::Named { name, of } => json!({
            "type": "object",
            "propertyNames": text(*name),
            "additionalProperties": self::kind(of),
        }),
        Kind::Headers => json!({
            "type": "object",
            "propertyNames": text(Format::HeaderName),
            "additionalProperties": text(Format::HeaderValue),
        }),
        Kind::Either(kinds) => {
            json!({ "anyOf": kinds.iter().map(self::kind).collect::<Vec<_>>() })
        }
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn text(format: Format) -> Value {
    match format.pattern() {
        Some(pattern) => json!({ "type": "string", "pattern": pattern }),
        None => json!({ "type": "string" }),
    }
}

/// A value written in TOML, as JSON. Every text in the description is valid; a test holds it to be.
fn value(text: &str) -> Value {
    DeValue::parse(text).map_or(Value::Null, |value| to_json(value.get_ref()))
}

fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => json!(number.as_str().parse::<i64>().ok()),
        DeValue::Boolean(value) => json!(value),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(entries) => entries
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref())))
            .collect(),
        DeValue::Float(_) | DeValue::Datetime(_) => Value::Null,
    }
}

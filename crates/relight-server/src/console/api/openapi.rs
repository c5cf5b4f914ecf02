//! The OpenAPI 3.1 document, from the table of endpoints.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::document::Document;
use super::{Endpoint, Needs, affected, endpoints, incidents, problem, sites, types};

/// The document of the API.
pub(crate) fn document() -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    schemas.insert("Problem".to_owned(), problem::schema());
    nested(&mut schemas);
    for endpoint in endpoints::table() {
        // What is asked in the query stands among the parameters.
        let body = endpoint.input.as_ref().filter(|_| endpoint.method == Method::POST);
        let pair = [Some(&endpoint.output), body];
        for (name, schema) in pair.into_iter().flatten() {
            schemas.insert((*name).to_owned(), schema.clone());
        }
        let item = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        item[endpoint.method.as_str().to_ascii_lowercase()] = operation(&endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "relight",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The acts of the console, for programs. A token reads and \
                proposes; it decides nothing and never counts as a person.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-rl"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"session": []}, {"token": []}],
    })
}

/// Types that stand in others only.
fn nested(schemas: &mut Map<String, Value>) {
    for (name, schema) in [
        of::<incidents::IncidentView>(),
        of::<incidents::PhaseCount>(),
        of::<incidents::BurnDownView>(),
        of::<incidents::PaceView>(),
        of::<incidents::ThenView>(),
        of::<incidents::StateCount>(),
        of::<incidents::ClosedPart>(),
        of::<incidents::Unverified>(),
        of::<incidents::Waiting>(),
        of::<incidents::ProposalView>(),
        of::<incidents::RecordOf>(),
        of::<sites::SiteView>(),
        of::<sites::RequestView>(),
        of::<sites::CaseView>(),
        of::<sites::EvidenceView>(),
        of::<affected::TotalView>(),
        of::<affected::ItemView>(),
        of::<affected::PriorityView>(),
        of::<affected::PriorityReason>(),
        of::<types::PlanSiteView>(),
        of::<types::SkippedView>(),
        of::<types::SeatOf>(),
        of::<types::Action>(),
    ] {
        schemas.insert(name.to_owned(), schema);
    }
}

/// A type, by its name.
fn of<T: Document>() -> (&'static str, Value) {
    (T::NAME, T::schema())
}

fn operation(endpoint: &Endpoint) -> Value {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let success = json!({
        "description": endpoint.output.0,
        "content": {"application/json": {"schema": reference(endpoint.output.0)}},
    });
    let problem = json!({
        "description": "A problem",
        "content": {problem::MEDIA_TYPE: {"schema": reference("Problem")}},
    });
    let mut operation = json!({
        "operationId": endpoint.id,
        "summary": endpoint.summary,
        "responses": {endpoint.status.as_str(): success, "default": problem},
        "parameters": parameters(endpoint),
    });
    if let Some((name, _)) = &endpoint.input
        && endpoint.method == Method::POST
    {
        let content = json!({"application/json": {"schema": reference(name)}});
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    if endpoint.is_open() {
        operation["security"] = json!([]);
    }
    if endpoint.is_for_people {
        operation["security"] = json!([{"session": []}]);
    }
    if let Needs::Roles(roles) = endpoint.needs {
        operation["x-relight-roles"] = json!(roles);
    }
    operation
}

/// The parts of the address, and what is asked in the query.
fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let parts = endpoint.path.split('/').filter_map(|part| part.strip_prefix('{'));
    let mut all: Vec<Value> = parts
        .map(|part| {
            let (name, kind) = (part.trim_end_matches('}'), json!({"type": "string"}));
            json!({"name": name, "in": "path", "required": true, "schema": kind})
        })
        .collect();
    if let Some((_, schema)) = &endpoint.input
        && endpoint.method == Method::GET
    {
        let properties = schema["properties"].as_object().into_iter().flatten();
        all.extend(properties.map(|(name, schema)| {
            json!({"name": name, "in": "query", "required": false, "schema": schema})
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every `$ref` below a value.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(to)) = object.get("$ref") {
                    found.insert(to.clone());
                }
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_type_is_used() {
        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let known: BTreeSet<String> =
            schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
        assert_eq!(found, known);
    }

    #[test]
    fn operations_have_names_of_their_own_and_documented_parts() {
        let document = document();
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} twice");
                let parts = operation["parameters"].as_array().unwrap().iter();
                let parts = parts.filter(|part| part["in"] == "path").count();
                assert_eq!(parts, path.matches('{').count(), "{method} {path}");
                assert!(!operation["summary"].as_str().unwrap().is_empty());
            }
        }
        assert_eq!(names.len(), endpoints::table().len());
    }

    #[test]
    fn the_schema_of_a_type_is_that_of_what_is_written() {
        let schema = types::SeatOf::schema();
        let (seat, by, at) = ("operator".to_owned(), Some("anna".to_owned()), None);
        let written = serde_json::to_value(types::SeatOf { seat, by, at }).unwrap();
        let written: BTreeSet<&String> = written.as_object().unwrap().keys().collect();
        let declared: BTreeSet<&String> =
            schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(written, declared);
        assert_eq!(schema["required"], json!(["seat"]));
        let unknown = serde_json::from_str::<types::SeatOf>(r#"{"seat":"x","extra":1}"#);
        assert!(unknown.is_err(), "what the schema does not name is refused");
    }
}

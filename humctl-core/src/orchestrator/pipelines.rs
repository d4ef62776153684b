//! Pipelines as documents: they are kept and shown, and never run.

use humctl_api_types::id::{AppId, OrgId};
use humctl_api_types::kind::Kind;
use humctl_api_types::manifest::API_VERSION;
use humctl_api_types::plain::Place;
use serde_json::{Map, Value, json};

use crate::hash;
use crate::json as json_text;
use crate::orchestrator::plain::PlainDoc;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result};
use crate::plain::PIPELINE;
use crate::yaml;

impl Orchestrator {
    /// The Pipelines of an Application.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn pipelines(&self, org: &OrgId, app: &AppId) -> Result<Vec<Value>> {
        let objects = self.plain_objects(org, &PIPELINE, &place(app))?.into_iter();
        objects.map(|object| self.pipeline(org, app, object["id"].as_str().unwrap_or_default())).collect()
    }

    /// What is known of a Pipeline, without its document.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn pipeline(&self, org: &OrgId, app: &AppId, id: &str) -> Result<Value> {
        self.check_place(org, &place(app))?;
        let (_, doc) = self.plain_doc(org, &PIPELINE, &place(app), id)?;
        let document = document(&doc);
        let version = hash::sha256_hex(json_text::canonical(&Value::Object(document.clone())).as_bytes());
        let triggers = document.get("on").and_then(Value::as_object);
        let triggers: Vec<&String> = triggers.into_iter().flat_map(Map::keys).collect();
        Ok(json!({
            "id": doc.id, "org_id": org, "app_id": app, "name": name(&doc), "status": "active",
            "version": version[..16], "etag": version[..16], "created_at": doc.created_at, "trigger_types": triggers,
        }))
    }

    /// A Pipeline's document, as a manifest.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn pipeline_document(&self, org: &OrgId, app: &AppId, id: &str) -> Result<Value> {
        self.check_place(org, &place(app))?;
        let (_, doc) = self.plain_doc(org, &PIPELINE, &place(app), id)?;
        Ok(json!({
            "apiVersion": API_VERSION, "kind": "Pipeline", "metadata": {"id": doc.id}, "entity": document(&doc),
        }))
    }

    /// Keeps a new Pipeline: a manifest in YAML.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn create_pipeline(&self, org: &OrgId, app: &AppId, text: &str) -> Result<Value> {
        let body = read(text, None)?;
        self.create_plain(org, &PIPELINE, &place(app), &body)?;
        self.pipeline(org, app, body["id"].as_str().unwrap_or_default())
    }

    /// Replaces the document of a Pipeline.
    ///
    /// # Errors
    /// [`OrchestratorError`].
    pub fn update_pipeline(&self, org: &OrgId, app: &AppId, id: &str, text: &str) -> Result<Value> {
        let body = read(text, Some(id))?;
        self.update_plain(org, &PIPELINE, &place(app), id, &body)?;
        self.pipeline(org, app, id)
    }

    /// The name of a Pipeline, for its criteria.
    pub(super) fn pipeline_name(&self, org: &OrgId, place: &Place, id: &str) -> Result<String> {
        let above = Place { pipeline_id: None, ..place.clone() };
        Ok(name(&self.plain_doc(org, &PIPELINE, &above, id)?.1))
    }
}

fn place(app: &AppId) -> Place {
    Place { app_id: Some(app.clone()), ..Place::default() }
}

fn document(doc: &PlainDoc) -> Map<String, Value> {
    doc.entity.get("document").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn name(doc: &PlainDoc) -> String {
    document(doc).get("name").and_then(Value::as_str).unwrap_or(&doc.id).to_owned()
}

/// Reads a manifest of a Pipeline, or its document alone with an `id` in it.
fn read(text: &str, id: Option<&str>) -> Result<Value> {
    let invalid = |reason: String| OrchestratorError::Invalid(format!("the pipeline cannot be read: {reason}"));
    let documents = yaml::parse_documents(text).map_err(|error| invalid(error.to_string()))?;
    let [Value::Object(manifest)] = documents.as_slice() else {
        return Err(invalid("expected one mapping".to_owned()));
    };
    let is_manifest = manifest.get("kind").and_then(Value::as_str).and_then(Kind::parse) == Some(Kind::Pipeline);
    let (given, mut document) = match manifest.get("entity").and_then(Value::as_object) {
        Some(entity) if is_manifest => {
            (manifest.get("metadata").and_then(|metadata| metadata.get("id")), entity.clone())
        }
        _ => (manifest.get("id"), manifest.clone()),
    };
    let given = given.and_then(Value::as_str);
    document.remove("id");
    match (given, id) {
        (Some(given), Some(id)) if given != id => Err(invalid(format!("it is of `{given}`, not of `{id}`"))),
        (None, None) => Err(invalid("metadata.id is missing".to_owned())),
        (given, id) => Ok(json!({"id": id.or(given), "document": document})),
    }
}

//! Pipeline runs: how a hosted Orchestrator deploys (spec/cli.md §6.7).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::deployment::{Deployment, DeploymentRequest};
use crate::endpoint::{Call, Method, app_path, encode_segment, env_path};
use crate::id::{AppId, DeltaId, DeploymentId, EnvId, OrgId, SetId, ValueSetVersionId};
use crate::manifest::{API_VERSION, Manifest};

/// Body of `POST …/pipeline-runs`: a Pipeline is found by what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineRunRequest {
    /// `deployment_request`.
    pub trigger: String,
    /// The Environment to deploy into.
    pub env_id: EnvId,
    /// Apply this Delta to the current set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_id: Option<DeltaId>,
    /// Deploy this Deployment again, with its set and its Shared Values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<DeploymentId>,
    /// Deploy exactly this set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_id: Option<SetId>,
    /// Version of the Shared Values; not together with `deployment_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_set_version_id: Option<ValueSetVersionId>,
    /// Text for the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `full` or `incremental`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

impl PipelineRunRequest {
    /// The run that makes the Deployment of `request`. With `again` it is that
    /// Deployment's set with its Shared Values.
    #[must_use]
    pub fn new(env: &EnvId, request: &DeploymentRequest, again: Option<&DeploymentId>) -> Self {
        let is_new = again.is_none();
        Self {
            trigger: "deployment_request".to_owned(),
            env_id: env.clone(),
            delta_id: request.delta_id.clone().filter(|_| is_new),
            deployment_id: again.cloned(),
            // A Delta is applied to what is deployed: the two exclude each other.
            set_id: request.set_id.clone().filter(|_| is_new && request.delta_id.is_none()),
            value_set_version_id: request.value_set_version_id.clone().filter(|_| is_new),
            comment: request.comment.clone(),
            mode: request.mode.clone(),
        }
    }
}

/// One run of a Pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineRun {
    /// Id of the run.
    pub id: String,
    /// The Pipeline.
    pub pipeline_id: String,
    /// `queued`, `executing`, `succeeded`, `failed`, `cancelled`, ….
    pub status: String,
    /// Why it is so.
    #[serde(default)]
    pub status_message: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// What its jobs wait for, such as an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<Map<String, Value>>,
    /// The Application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The Environments that it deals with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_ids: Option<Vec<String>>,
    /// What it was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Map<String, Value>>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

impl PipelineRun {
    /// True once nothing will change any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.completed_at.is_some() || self.has_succeeded() || self.has_failed()
    }

    /// True when it ended well.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        matches!(self.status.as_str(), "succeeded" | "successful")
    }

    /// True when it ended otherwise.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.status.as_str(), "failed" | "cancelled") || (self.completed_at.is_some() && !self.has_succeeded())
    }

    /// True while somebody has to approve, or something else has to happen first.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.waiting_for.as_ref().is_some_and(|events| !events.is_empty())
    }

    /// The run as a manifest: what it was started with is settable, the rest is not.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        let (mut metadata, mut entity, mut status) = (Map::new(), Map::new(), Map::new());
        let object = match serde_json::to_value(self) {
            Ok(Value::Object(object)) => object,
            _ => Map::new(),
        };
        for (key, value) in object {
            let part = match key.as_str() {
                "id" | "pipeline_id" | "app_id" => &mut metadata,
                "inputs" => &mut entity,
                _ => &mut status,
            };
            part.insert(key, value);
        }
        Manifest {
            api_version: API_VERSION.to_owned(),
            entity: Value::Object(entity),
            kind: "PipelineRun".to_owned(),
            metadata,
            status: Some(status),
        }
    }
}

/// Starts a run of the Pipeline that is there for such requests; 404 when there is none.
#[must_use]
pub fn create_pipeline_run(
    org: &OrgId,
    app: &AppId,
    body: &PipelineRunRequest,
    idempotency_key: String,
) -> Call<PipelineRun> {
    let mut call = Call::new(Method::Post, format!("{}/pipeline-runs", app_path(org, app))).with_body(body);
    call.idempotency_key = Some(idempotency_key);
    call
}

/// Asks for a run.
#[must_use]
pub fn pipeline_run(org: &OrgId, app: &AppId, pipeline_id: &str, id: &str) -> Call<PipelineRun> {
    let (pipeline_id, id) = (encode_segment(pipeline_id), encode_segment(id));
    Call::new(Method::Get, format!("{}/pipelines/{pipeline_id}/runs/{id}", app_path(org, app)))
}

/// Lists the Deployments that a run has made, newest first.
#[must_use]
pub fn deployments_of_run(org: &OrgId, app: &AppId, env: &EnvId, pipeline_id: &str, id: &str) -> Call<Vec<Deployment>> {
    let (pipeline_id, id) = (encode_segment(pipeline_id), encode_segment(id));
    Call::new(Method::Get, format!("{}/deploys?pipelineRunId={pipeline_id},{id}", env_path(org, app, env)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_asks_for_exactly_one_thing() {
        let env = EnvId::new("dev").unwrap();
        let set = SetId::new("s1").unwrap();
        let values = ValueSetVersionId::new("v1").unwrap();
        let request = |delta: Option<&str>| DeploymentRequest {
            delta_id: delta.map(|id| DeltaId::new(id).unwrap()),
            set_id: Some(set.clone()),
            value_set_version_id: Some(values.clone()),
            comment: Some("c".to_owned()),
            mode: Some("full".to_owned()),
            ..DeploymentRequest::default()
        };
        let again = DeploymentId::new("d1").unwrap();
        for (delta, again, expected) in [
            (None, None, json!({"set_id": "s1", "value_set_version_id": "v1"})),
            (Some("delta1"), None, json!({"delta_id": "delta1", "value_set_version_id": "v1"})),
            (None, Some(&again), json!({"deployment_id": "d1"})),
        ] {
            let mut body = serde_json::to_value(PipelineRunRequest::new(&env, &request(delta), again)).unwrap();
            for (key, value) in
                [("trigger", "deployment_request"), ("env_id", "dev"), ("comment", "c"), ("mode", "full")]
            {
                assert_eq!(body.as_object_mut().unwrap().remove(key).unwrap(), value);
            }
            assert_eq!(body, expected);
        }
    }

    #[test]
    fn a_run_ends_well_or_not() {
        for (status, completed, ended, failed) in [
            ("queued", false, false, false),
            ("executing", false, false, false),
            ("cancelling", false, false, false),
            ("succeeded", true, true, false),
            ("succeeded", false, true, false),
            ("failed", true, true, true),
            ("cancelled", true, true, true),
            ("timed out", true, true, true),
        ] {
            let mut run = json!({"id": "r", "pipeline_id": "p", "status": status});
            if completed {
                run["completed_at"] = json!("t");
            }
            let run: PipelineRun = serde_json::from_value(run).unwrap();
            assert_eq!((run.has_ended(), run.has_failed()), (ended, failed), "{status}");
        }
    }
}

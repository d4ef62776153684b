//! Objects that are plain data: one set of handlers for every kind in the table.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use humctl_api_types::endpoint::Method;
use humctl_api_types::id::{AppId, OrgId};
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use serde_json::{Value, json};

use crate::decode;
use crate::plain::{PLAIN, PlainKind};
use crate::router::Shared;
use crate::router::answer::{Answer, ApiError, Body, Ids, Parameters, call, run};
use crate::router::not_supported::not_supported;

/// The paths of every kind that is plain data.
pub(super) fn routes() -> Router<Shared> {
    let kept = PLAIN.iter().filter(|plain| plain.is_kept);
    kept.fold(pipelines(), |router, plain| {
        let info = plain.info();
        let (list, collection) = (info.list(), info.collection);
        let router = match plain.kind {
            Kind::Agent => router.route(&format!("{collection}/{{id}}/keys"), agent_keys(plain)),
            _ => router,
        };
        let router = match list == collection {
            true => router.route(collection, lister(plain).merge(maker(plain))),
            false => router.route(list, lister(plain)).route(collection, maker(plain)),
        };
        router.route(&format!("{collection}/{{id}}"), object(plain))
    })
}

/// The parameters of a path by name.
type Parts = BTreeMap<String, String>;

fn lister(plain: &'static PlainKind) -> MethodRouter<Shared> {
    get(async move |State(shared): State<Shared>, Ids(parts): Ids<Parts>, Parameters(query): Parameters<Parts>| {
        let (org, place, _) = where_is(plain, parts)?;
        let mut objects = run(move || shared.orchestrator.plain_objects(&org, plain, &place)).await?;
        if let (Kind::Key, Some(wanted)) = (plain.kind, query.get("fingerprint")) {
            objects.retain(|key| key["fingerprint"].as_str() == Some(wanted));
        }
        call(StatusCode::OK, move || Ok(objects)).await
    })
}

fn maker(plain: &'static PlainKind) -> MethodRouter<Shared> {
    post(async move |State(shared): State<Shared>, Ids(parts): Ids<Parts>, Body(body): Body<Value>| {
        let (org, place, _) = where_is(plain, parts)?;
        // A key is sent as its bare text.
        let body = if plain.kind == Kind::Key { json!({"key": body}) } else { body };
        let created = StatusCode::from_u16(plain.created).unwrap_or(StatusCode::CREATED);
        call(created, move || shared.orchestrator.create_plain(&org, plain, &place, &body)).await
    })
}

fn object(plain: &'static PlainKind) -> MethodRouter<Shared> {
    let mut methods = delete(async move |State(shared): State<Shared>, Ids(parts): Ids<Parts>| {
        let (org, place, id) = where_is(plain, parts).map_err(|error| refused_deletion(plain, error))?;
        call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_plain(&org, plain, &place, &id)).await
    });
    // The API has no way to ask for one Agent.
    if plain.kind != Kind::Agent {
        methods = methods.get(async move |State(shared): State<Shared>, Ids(parts): Ids<Parts>| {
            let (org, place, id) = where_is(plain, parts)?;
            call(StatusCode::OK, move || shared.orchestrator.plain_object(&org, plain, &place, &id)).await
        });
    }
    let change = async move |State(shared): State<Shared>, Ids(parts): Ids<Parts>, Body(body): Body<Value>| {
        let (org, place, id) = where_is(plain, parts)?;
        call(StatusCode::OK, move || shared.orchestrator.update_plain(&org, plain, &place, &id, &body)).await
    };
    match plain.update.as_ref().map(|update| update.method) {
        None => methods,
        Some(Method::Put) => methods.merge(put(change)),
        Some(_) => methods.merge(patch(change)),
    }
}

/// Of an Account that is not deleted the official document wants to hear who uses it.
fn refused_deletion(plain: &PlainKind, mut error: ApiError) -> ApiError {
    if plain.kind == Kind::Account {
        error.body["details"] = json!({"referencing_resources": {}});
    }
    error
}

/// The keys of an Agent, which stay what they are.
fn agent_keys(agent: &'static PlainKind) -> MethodRouter<Shared> {
    get(async move |State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, String)>| {
        call(StatusCode::OK, move || shared.orchestrator.agent_keys(&org, agent, &id)).await
    })
    .post(not_supported)
}

/// Reads a path: Organization, place, and the id, if it has one.
fn where_is(plain: &PlainKind, mut parts: Parts) -> Result<(OrgId, Place, String), ApiError> {
    let bad = |reason: String| ApiError::new(StatusCode::BAD_REQUEST, reason);
    let org = OrgId::new(parts.remove("org").unwrap_or_default()).map_err(|error| bad(error.to_string()))?;
    let id = parts.remove("id").unwrap_or_default();
    // Profiles are asked for as ORG/ID.
    let id = match id.split_once('/') {
        Some((owner, id)) if plain.kind == Kind::WorkloadProfile && owner == org.as_str() => id.to_owned(),
        _ => id,
    };
    let place = decode::tolerant(&json!(parts)).map_err(|error| bad(error.to_string()))?;
    Ok((org, place, id))
}

/// Pipelines, whose bodies are YAML.
fn pipelines() -> Router<Shared> {
    Router::new()
        .route("/orgs/{org}/apps/{app}/pipelines", get(list_pipelines).post(create_pipeline))
        .route("/orgs/{org}/apps/{app}/pipelines/{id}", get(get_pipeline).patch(patch_pipeline).delete(delete_pipeline))
        .route("/orgs/{org}/apps/{app}/pipelines/{id}/schema", get(get_document))
}

async fn list_pipelines(State(shared): State<Shared>, Ids((org, app)): Ids<(OrgId, AppId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.pipelines(&org, &app)).await
}

async fn create_pipeline(State(shared): State<Shared>, Ids((org, app)): Ids<(OrgId, AppId)>, body: Bytes) -> Answer {
    let text = text(&body)?;
    call(StatusCode::CREATED, move || shared.orchestrator.create_pipeline(&org, &app, &text)).await
}

type PipelinePath = (OrgId, AppId, String);

async fn get_pipeline(State(shared): State<Shared>, Ids((org, app, id)): Ids<PipelinePath>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.pipeline(&org, &app, &id)).await
}

async fn patch_pipeline(
    State(shared): State<Shared>,
    Ids((org, app, id)): Ids<PipelinePath>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let text = text(&body)?;
    let wanted = headers.get(header::IF_MATCH).and_then(|etag| etag.to_str().ok()).map(ToOwned::to_owned);
    let orchestrator = shared.orchestrator;
    if let Some(wanted) = wanted {
        let (orchestrator, org, app, id) = (orchestrator.clone(), org.clone(), app.clone(), id.clone());
        let current = run(move || orchestrator.pipeline(&org, &app, &id)).await?;
        if wanted != "*" && current["etag"].as_str() != Some(wanted.trim_matches('"')) {
            return Err(ApiError::new(
                StatusCode::PRECONDITION_FAILED,
                "the pipeline was changed by somebody else in the meantime",
            ));
        }
    }
    call(StatusCode::OK, move || orchestrator.update_pipeline(&org, &app, &id, &text)).await
}

async fn delete_pipeline(State(shared): State<Shared>, Ids((org, app, id)): Ids<PipelinePath>) -> Answer {
    let place = Place { app_id: Some(app), ..Place::default() };
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_plain(&org, &crate::plain::PIPELINE, &place, &id))
        .await
}

/// The document in YAML, or in JSON for those who ask for it.
async fn get_document(
    State(shared): State<Shared>,
    Ids((org, app, id)): Ids<PipelinePath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let is_yaml = accepts.contains("yaml");
    let document = run(move || shared.orchestrator.pipeline_document(&org, &app, &id)).await?;
    if !is_yaml {
        return call(StatusCode::OK, move || Ok(document)).await;
    }
    let text = crate::yaml::to_string(&document)
        .map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/x.humanitec-pipelines-v1.0+yaml")], text).into_response())
}

fn text(body: &Bytes) -> Result<String, ApiError> {
    let bad = || ApiError::new(StatusCode::BAD_REQUEST, "the body is no UTF-8 text");
    std::str::from_utf8(body).map(ToOwned::to_owned).map_err(|_| bad())
}

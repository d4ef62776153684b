//! Resource Definitions, their Matching Criteria and versions.

use std::cmp::Reverse;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::routing::{delete, get, post, put};
use humctl_api_types::definition::{
    ArchiveVersion, CreateDefinition, DefinitionVersion, MatchingCriteria, MatchingCriteriaRule, PatchDefinition,
    ResourceDefinition, UpdateDefinition,
};
use humctl_api_types::id::{AppId, DefinitionId, EnvId, EnvTypeId, OrgId};
use serde::Deserialize;

use crate::matching;
use crate::router::Shared;
use crate::router::answer::{Answer, ApiError, Body, Ids, Parameters, call, json_response, run};

/// The paths of Resource Definitions.
pub(super) fn routes() -> Router<Shared> {
    const DEFINITION: &str = "/orgs/{org}/resources/defs/{id}";
    let at = |rest: &str| format!("{DEFINITION}{rest}");
    Router::new()
        .route("/orgs/{org}/resources/defs", get(list_definitions).post(create_definition))
        .route(DEFINITION, get(get_definition).put(put_definition).patch(patch_definition).delete(delete_definition))
        .route(&at("/resources"), get(resources_of_definition))
        .route(&at("/criteria"), put(put_criteria).post(post_criteria))
        .route(&at("/criteria/{rule}"), delete(delete_criteria))
        .route(&at("/versions"), get(list_versions))
        .route(&at("/versions/{version}"), get(get_version))
        .route(&at("/versions/{version}/actions/archive"), post(archive_version))
        .route(&at("/versions/{version}/actions/promote"), post(promote_version))
}

/// Filters of `GET …/resources/defs`: a Definition is listed unless it cannot
/// match what they name.
#[derive(Deserialize)]
struct DefinitionFilter {
    app: Option<String>,
    env: Option<String>,
    env_type: Option<String>,
    res: Option<String>,
    res_type: Option<String>,
    class: Option<String>,
    #[serde(default)]
    deleted: bool,
}

impl DefinitionFilter {
    /// True when the filters say anything about rules.
    fn is_about_rules(&self) -> bool {
        [&self.app, &self.env, &self.env_type, &self.res, &self.class].iter().any(|filter| filter.is_some())
    }

    fn fits(&self, rule: &MatchingCriteria) -> bool {
        let fits = |filter: &Option<String>, field: Option<&str>| match (filter, field) {
            (Some(filter), Some(field)) => filter == field,
            _ => true,
        };
        fits(&self.app, rule.app_id.as_ref().map(AppId::as_str))
            && fits(&self.env, rule.env_id.as_ref().map(EnvId::as_str))
            && fits(&self.env_type, rule.env_type.as_ref().map(EnvTypeId::as_str))
            && fits(&self.res, rule.res_id.as_ref().map(AsRef::as_ref))
            && fits(&self.class, Some(rule.class.as_str()))
    }

    /// The Definitions that could match; by type and rank when rules are
    /// filtered, the one that would be tried first at the front
    /// (spec/resource-model.md §4).
    fn apply(&self, mut definitions: Vec<ResourceDefinition>) -> Vec<ResourceDefinition> {
        let rank = |definition: &ResourceDefinition| {
            definition.criteria.iter().filter(|rule| self.fits(rule)).map(matching::score).max()
        };
        definitions.retain(|definition| {
            self.res_type.as_ref().is_none_or(|res_type| res_type == definition.res_type.as_str())
                && (!self.is_about_rules() || rank(definition).is_some())
        });
        if self.is_about_rules() {
            definitions.sort_by_cached_key(|definition| {
                (definition.res_type.clone(), definition.is_default, Reverse(rank(definition)), definition.id.clone())
            });
        }
        definitions
    }
}

async fn list_definitions(
    State(shared): State<Shared>,
    Ids(org): Ids<OrgId>,
    Parameters(filter): Parameters<DefinitionFilter>,
) -> Answer {
    call(StatusCode::OK, move || {
        Ok(filter.apply(match filter.deleted {
            true => shared.orchestrator.all_definitions(&org)?,
            false => shared.orchestrator.definitions(&org)?,
        }))
    })
    .await
}

async fn create_definition(
    State(shared): State<Shared>,
    Ids(org): Ids<OrgId>,
    Body(body): Body<CreateDefinition>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.create_definition(&org, &body)).await
}

#[derive(Deserialize)]
struct Deleted {
    #[serde(default)]
    deleted: bool,
}

async fn get_definition(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Parameters(parameters): Parameters<Deleted>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.definition(&org, &id, parameters.deleted)).await
}

async fn patch_definition(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Body(body): Body<PatchDefinition>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.patch_definition(&org, &id, &body)).await
}

async fn put_definition(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Body(body): Body<UpdateDefinition>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.update_definition(&org, &id, &body)).await
}

#[derive(Deserialize)]
struct Force {
    #[serde(default)]
    force: bool,
}

async fn delete_definition(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Parameters(parameters): Parameters<Force>,
) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_definition(&org, &id, parameters.force)).await
}

async fn resources_of_definition(State(shared): State<Shared>, Ids((org, id)): Ids<(OrgId, DefinitionId)>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.resources_of_definition(&org, &id)).await
}

async fn put_criteria(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Body(body): Body<Vec<MatchingCriteriaRule>>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.replace_criteria(&org, &id, &body)).await
}

async fn post_criteria(
    State(shared): State<Shared>,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Body(body): Body<MatchingCriteriaRule>,
) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.add_criteria(&org, &id, &body)).await
}

async fn delete_criteria(
    State(shared): State<Shared>,
    Ids((org, id, rule)): Ids<(OrgId, DefinitionId, String)>,
    Parameters(parameters): Parameters<Force>,
) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.delete_criteria(&org, &id, &rule, parameters.force)).await
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    deleted: bool,
    #[serde(rename = "per_page")]
    size: Option<usize>,
    /// How many versions the pages before had.
    #[serde(rename = "page")]
    start: Option<usize>,
}

async fn list_versions(
    State(shared): State<Shared>,
    uri: Uri,
    Ids((org, id)): Ids<(OrgId, DefinitionId)>,
    Parameters(paging): Parameters<Paging>,
) -> Answer {
    let size = paging.size.unwrap_or(50);
    if !(1..=100).contains(&size) {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "per_page is a number from 1 to 100"));
    }
    let start = paging.start.unwrap_or_default();
    let end = start.saturating_add(size);
    let versions = run(move || shared.orchestrator.definition_versions(&org, &id, paging.deleted)).await?;
    let shown: Vec<&DefinitionVersion> = versions.iter().skip(start).take(size).collect();
    let mut answer = json_response(StatusCode::OK, &shown);
    if versions.len() > end {
        let next = format!("<{}?deleted={}&per_page={size}&page={end}>; rel=\"next\"", uri.path(), paging.deleted);
        if let Ok(next) = HeaderValue::try_from(next) {
            answer.headers_mut().insert(header::LINK, next);
        }
    }
    Ok(answer)
}

type VersionPath = (OrgId, DefinitionId, String);

async fn get_version(State(shared): State<Shared>, Ids((org, id, version)): Ids<VersionPath>) -> Answer {
    call(StatusCode::OK, move || shared.orchestrator.definition_version(&org, &id, &version)).await
}

async fn archive_version(
    State(shared): State<Shared>,
    Ids((org, id, version)): Ids<VersionPath>,
    Body(body): Body<ArchiveVersion>,
) -> Answer {
    let archived = body.archived.unwrap_or(true);
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.archive_definition_version(&org, &id, &version, archived))
        .await
}

async fn promote_version(State(shared): State<Shared>, Ids((org, id, version)): Ids<VersionPath>) -> Answer {
    call(StatusCode::NO_CONTENT, move || shared.orchestrator.promote_definition_version(&org, &id, &version)).await
}

//! `humctl delete TYPE ID`, `humctl delete -f FILE`

mod active_resource;

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::endpoint::{Method, encode_segment, values_path};
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_core::manifest::Object;
use humctl_core::plain::PlainKind;

use crate::commands::deployment::GitFlags;
use crate::commands::manifests::{self, Loaded};
use crate::commands::{apply, kinds, suggest};
use crate::completion;
use crate::context::Context;
use crate::error::CliError;
use crate::output::progress::Progress;

/// Delete objects
///
/// Before an Environment is deleted, its files are removed from its Git target. A
/// value is the Application's, unless --env names an Environment. An Active Resource
/// is named as TYPE.CLASS#ID or by its id.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Examples:
  humctl delete env pr-17 --app shop
  humctl delete def postgres-team
  humctl delete active-resource 'postgres.default#modules.web.externals.db' \\
    --app shop --env development
  humctl delete -f definitions/

See also: humctl get, humctl apply, humctl score deploy")]
pub(crate) struct DeleteArgs {
    /// app, env, def, env-type, resource-type, value, active-resource, or any other type that get knows
    #[arg(add = ArgValueCandidates::new(completion::types), value_name = "TYPE", conflicts_with = "files", required_unless_present = "files")]
    pub(crate) kind: Option<String>,
    /// Id of the object; for a value its key
    #[arg(add = ArgValueCandidates::new(completion::objects), value_name = "ID", conflicts_with = "files", requires = "kind")]
    pub(crate) id: Option<String>,
    /// File or directory with manifests of what to delete; may be given more than once
    #[arg(long = "file", short = 'f', value_name = "FILE")]
    files: Vec<String>,
    /// Delete a Resource Definition although Active Resources use it
    #[arg(long)]
    force: bool,
    /// Forget an Active Resource; what is behind it stays
    #[arg(long, requires = "kind")]
    detach: bool,
    #[command(flatten)]
    git: GitFlags,
}

pub(crate) fn run(context: &Context, args: &DeleteArgs) -> Result<(), CliError> {
    args.git.prepare(context)?;
    if !args.files.is_empty() {
        return delete_files(context, args);
    }
    let kind = kinds::parse(args.kind.as_deref().unwrap_or_default())?;
    let Some(id) = &args.id else {
        return Err(CliError::user(format!("which {}?", kind.info().name)).with_hint("humctl delete TYPE ID"));
    };
    if kind == Kind::ActiveResource {
        return active_resource::delete(context, id, args.detach);
    }
    if args.detach {
        return Err(CliError::user(format!("--detach is for active resources, not for a {}", kind.info().name)));
    }
    if !is_deletable(kind) {
        return Err(CliError::user(format!("a {} cannot be deleted", kind.info().name)));
    }
    delete(context, &path(context, kind, id)?, kind, args.force)
        .map_err(|error| suggest::object(context, kind, id, error))
}

fn is_deletable(kind: Kind) -> bool {
    let is_more = matches!(
        kind,
        Kind::Application
            | Kind::Environment
            | Kind::Definition
            | Kind::EnvironmentType
            | Kind::ResourceType
            | Kind::Driver
            | Kind::Value
            | Kind::User
            | Kind::Token
            | Kind::Artefact
    );
    is_more || PlainKind::of(kind).is_some_and(|plain| plain.kind != Kind::ArtefactVersion)
}

fn path(context: &Context, kind: Kind, id: &str) -> Result<String, CliError> {
    match kind {
        // These lie below something that the id does not name.
        Kind::ResourceClass | Kind::PipelineCriteria => {
            let found = kinds::search(context, kind, "id", id)?;
            let place = humctl_core::decode::tolerant(&found).map_err(|_| {
                CliError::user(format!("there are several of {} `{id}`", kind.info().name))
                    .with_hint("say which one with a manifest: humctl delete -f FILE")
            })?;
            // Its `app_id` is what it matches.
            let place = Place { app_id: None, ..place };
            Ok(format!("{}/{}", kinds::fill(context, kind.info().collection, &place)?, encode_segment(id)))
        }
        kind => kinds::object_path(context, kind, id),
    }
}

/// Deletes what the manifests name, in reverse order; what is gone already is fine.
fn delete_files(context: &Context, args: &DeleteArgs) -> Result<(), CliError> {
    for loaded in manifests::load(&args.files)?.iter().rev() {
        let deleted = match path_of(context, loaded) {
            Ok(Some(path)) => delete(context, &path, loaded.object.kind(), args.force),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        match deleted {
            Err(error) if error.is_status(404) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Where an object is; `None` when it is nowhere.
fn path_of(context: &Context, loaded: &Loaded) -> Result<Option<String>, CliError> {
    let object = &loaded.object;
    let info = object.kind().info();
    let id = match object {
        Object::Delta { .. } => {
            return Err(CliError::user(format!("{}: a DeploymentDelta cannot be deleted", loaded.file))
                .with_hint("archive it: humctl api put /orgs/ORG/apps/APP/deltas/ID/metadata/archived -d true"));
        }
        Object::Plain(plain) if !is_deletable(plain.plain.kind) => {
            return Err(CliError::user(format!("{}: a {} cannot be deleted", loaded.file, info.name)));
        }
        Object::BuiltIn { id, .. } => {
            return Err(CliError::user(format!(
                "{}: {} {id} is built in and cannot be deleted",
                loaded.file, info.name
            )));
        }
        Object::Value { app, env, body } => {
            let (org, app) = manifests::app_of(context, app.as_ref())?;
            return Ok(Some(format!("{}/{}", values_path(&org, &app, env.as_ref()), body.key)));
        }
        Object::Criteria { definition, rule } => apply::find_rule(context, definition, rule)?.map(|rule| rule.id),
        // The API named it, so it is looked for by what it says.
        Object::Plain(plain) if !plain.plain.has_own_id => {
            let found = apply::find(context, plain)?;
            found.and_then(|found| Some(found.get("id")?.as_str()?.to_owned()))
        }
        Object::Plain(plain) if plain.plain.kind == Kind::WorkloadProfile => {
            return kinds::profile_path(context, object.id()).map(Some);
        }
        other => Some(other.id().to_owned()),
    };
    let Some(id) = id else { return Ok(None) };
    Ok(Some(format!("{}/{}", kinds::fill(context, info.collection, &object.place())?, encode_segment(&id))))
}

fn delete(context: &Context, path: &str, kind: Kind, force: bool) -> Result<(), CliError> {
    let _progress = Progress::start("deleting");
    let query = if force && kind == Kind::Definition { "?force=true" } else { "" };
    context.client().value(Method::Delete, &format!("{path}{query}"), None).map(drop)
}

//! `humctl delete TYPE ID`, `humctl delete -f FILE`

mod active_resource;

use humctl_api_types::endpoint::{Method, encode_segment, env_path, org_path, values_path};
use humctl_api_types::manifest::Kind;
use humctl_core::manifest::Object;

use crate::commands::kinds;
use crate::commands::manifests;
use crate::context::Context;
use crate::error::CliError;
use crate::output::progress::Progress;

/// Delete objects
///
/// An Environment's files are removed from its Git target first. A value is the
/// Application's, unless --env names an Environment. An Active Resource is named
/// as TYPE.CLASS#ID or by its id.
#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// app, env, def, env-type, resource-type, value or active-resource
    #[arg(value_name = "TYPE", conflicts_with = "files", required_unless_present = "files")]
    kind: Option<String>,
    /// Which one
    #[arg(value_name = "ID", conflicts_with = "files", requires = "kind")]
    id: Option<String>,
    /// File or directory with manifests of what to delete; may be repeated
    #[arg(long = "file", short = 'f', value_name = "FILE")]
    files: Vec<String>,
    /// Delete a Resource Definition although Active Resources use it
    #[arg(long)]
    force: bool,
    /// Forget an Active Resource; what is behind it stays
    #[arg(long, requires = "kind")]
    detach: bool,
}

pub(crate) fn run(context: &Context, args: &DeleteArgs) -> Result<(), CliError> {
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
    if !matches!(
        kind,
        Kind::Application
            | Kind::Environment
            | Kind::Definition
            | Kind::EnvironmentType
            | Kind::ResourceType
            | Kind::Driver
            | Kind::Value
    ) {
        return Err(CliError::user(format!("a {} cannot be deleted", kind.info().name)));
    }
    delete(context, &kinds::object_path(context, kind, id)?, kind, args.force)
}

/// Deletes what the manifests name, in reverse order; what is gone already is fine.
fn delete_files(context: &Context, args: &DeleteArgs) -> Result<(), CliError> {
    for loaded in manifests::load(&args.files)?.iter().rev() {
        let path = match &loaded.object {
            Object::Environment { app: Some(app), id, .. } => env_path(&context.org()?, app, id),
            Object::ResourceType(_) => {
                format!("{}/resources/types/{}", org_path(&context.org()?), encode_segment(loaded.object.id()))
            }
            Object::Value { app, env, body } => {
                let (org, app) = manifests::app_of(context, app.as_ref())?;
                format!("{}/{}", values_path(&org, &app, env.as_ref()), body.key)
            }
            Object::Delta { .. } => {
                return Err(CliError::user(format!("{}: a DeploymentDelta cannot be deleted", loaded.file))
                    .with_hint("archive it: humctl api put /orgs/ORG/apps/APP/deltas/ID/metadata/archived -d true"));
            }
            other => kinds::object_path(context, other.kind(), other.id())?,
        };
        match delete(context, &path, loaded.object.kind(), args.force) {
            Err(error) if error.is_status(404) => {}
            other => other?,
        }
    }
    Ok(())
}

fn delete(context: &Context, path: &str, kind: Kind, force: bool) -> Result<(), CliError> {
    let _progress = Progress::start("deleting");
    let query = if force && kind == Kind::Definition { "?force=true" } else { "" };
    context.client().value(Method::Delete, &format!("{path}{query}"), None).map(drop)
}

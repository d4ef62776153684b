//! `humctl apply -f FILE`, and with the same meaning `create -f` and `update -f`

mod container;
mod definition;
mod delta;
mod pipeline;
mod plain;
mod value;

use humctl_api_types::kind::Kind;
use humctl_core::manifest::Object;
use serde_json::Value;

use crate::commands::kinds;
use crate::commands::manifests::{self, Loaded};
use crate::context::Context;
use crate::error::CliError;

pub(crate) use definition::find_rule;
pub(crate) use plain::find;

/// Create or update objects from manifests
///
/// A manifest is a YAML or JSON document with `apiVersion`, `kind`, `metadata` and
/// `entity`, as `humctl get -o yaml` prints it. A file can hold several of them. Of
/// a directory the .yaml, .yml and .json files are taken. Everything is read and
/// checked before anything is applied.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl apply -f github-for-gitops.yaml
  humctl apply -f definitions/ -f apps.yaml
  humctl get def postgres -o yaml | sed 's/db-1/db-2/' | humctl apply -f -

See also: humctl get, humctl delete, humctl resources diff")]
pub(crate) struct ApplyArgs {
    /// File or directory with manifests, or - for stdin; may be given more than once
    #[arg(long = "file", short = 'f', value_name = "FILE", global = false)]
    files: Vec<String>,
}

/// What applying an object came to.
#[derive(Clone, Copy)]
enum Change {
    Created,
    Updated,
    Unchanged,
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

pub(crate) fn run(context: &Context, args: &ApplyArgs) -> Result<(), CliError> {
    let loaded = manifests::load(&args.files)?;
    // Scope problems of any object are found before the first is sent.
    for entry in &loaded {
        kinds::fill(context, entry.object.kind().info().collection, &entry.object.place())
            .map_err(|error| CliError::user(format!("{}: {}: {}", entry.file, name(entry), error.text())))?;
    }
    let mut lines = Vec::new();
    let mut applied = Vec::new();
    for (position, entry) in loaded.iter().enumerate() {
        match apply_once_more(context, &entry.object) {
            Ok((change, answer)) => {
                let id = answer.get("id").and_then(Value::as_str).unwrap_or(entry.object.id());
                lines.push(format!("{} {id}: {}", entry.object.kind().info().name, change.word()));
                applied.extend(kinds::manifests_in(context, entry.object.kind(), &entry.object.place(), answer)?);
            }
            Err(error) => return Err(stopped(&loaded, position, &lines, &error)),
        }
    }
    if context.output.is_machine() {
        return context.output.manifests(&applied, applied.len() == 1, || unreachable!("not a table"));
    }
    context.output.text(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())
}

/// What an object is called in messages.
fn name(entry: &Loaded) -> String {
    format!("{} {}", entry.object.kind().info().name, entry.object.id())
}

/// The failure of one object, with what was and what was not applied.
fn stopped(loaded: &[Loaded], position: usize, done: &[String], error: &CliError) -> CliError {
    let failed = &loaded[position];
    let mut text = format!("{}: {}: {}", failed.file, name(failed), error.text());
    for line in done {
        text.push_str(&format!("\n  applied: {line}"));
    }
    for entry in &loaded[position..] {
        text.push_str(&format!("\n  not applied: {} ({})", name(entry), entry.file));
    }
    CliError::user(text)
}

/// Somebody else may make the object between our look and our request: then it is there to be updated.
fn apply_once_more(context: &Context, object: &Object) -> Result<(Change, Value), CliError> {
    match apply(context, object) {
        Err(error) if error.is_status(409) => apply(context, object),
        other => other,
    }
}

fn apply(context: &Context, object: &Object) -> Result<(Change, Value), CliError> {
    match object {
        Object::Definition(definition) => definition::apply(context, definition),
        Object::Criteria { definition, rule } => definition::apply_rule(context, definition, rule),
        Object::EnvironmentType(env_type) => container::environment_type(context, env_type),
        Object::ResourceType(res_type) => container::resource_type(context, res_type),
        Object::Driver(driver) => container::driver(context, driver),
        Object::Application(body) => container::application(context, body),
        Object::Environment { app, body } => container::environment(context, app.as_ref(), body),
        Object::Plain(object) if object.plain.kind == Kind::Pipeline => pipeline::apply(context, object),
        Object::Plain(object) => plain::apply(context, object),
        Object::BuiltIn { kind, id } => {
            Ok((Change::Unchanged, context.client().get(&kinds::object_path(context, *kind, id)?)?))
        }
        Object::Value { app, env, body } => {
            let (org, app) = manifests::app_of(context, app.as_ref())?;
            value::apply(context, &org, &app, env.as_ref(), body)
        }
        Object::Delta { app, id, body } => {
            let (org, app) = manifests::app_of(context, app.as_ref())?;
            delta::apply(context, &org, &app, id.as_ref(), body)
        }
    }
}

/// Asks for an object that may not be there.
fn existing(context: &Context, path: &str) -> Result<Option<Value>, CliError> {
    match context.client().get(path) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_status(404) => Ok(None),
        Err(error) => Err(error),
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

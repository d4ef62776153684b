//! `humctl resources graph`, `humctl resources graph deploy REF`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::{fs, io};

use humctl_api_types::deployment::Deployment;
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvId, OrgId};
use humctl_api_types::resource::ResourceGraph;

use crate::commands::references::deployment_id;
use crate::context::Context;
use crate::error::CliError;
use crate::output::graph::{GraphView, ascii, dot, html, mermaid, svg};

/// Show the Resource Graph of an Environment
///
/// Without further words the graph of the latest Deployment is printed as DOT,
/// for Graphviz, or in the format that is asked for. With `deploy REF` one line
/// is printed: the address of a page with the graph of that Deployment.
#[derive(Debug, clap::Args)]
pub(crate) struct GraphArgs {
    /// How the graph is drawn [default: dot]
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<GraphFormat>,
    /// deploy
    #[arg(value_name = "deploy", requires = "reference")]
    word: Option<String>,
    /// A Deployment: its id, `.` for the latest, `+N` for the N-th before
    #[arg(value_name = "REF")]
    reference: Option<String>,
}

/// How a Resource Graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum GraphFormat {
    /// Graphviz
    Dot,
    /// Mermaid, which Markdown pages of Git hosts draw
    Mermaid,
    /// A picture
    Svg,
    /// A page with the picture, a search, and all about each node
    Html,
    /// A tree for the terminal
    Ascii,
}

pub(crate) fn run(context: &Context, args: &GraphArgs) -> Result<(), CliError> {
    if args.format.is_some() && context.output.is_machine() {
        return Err(CliError::user("--format draws the graph, and --output json or yaml prints it as data")
            .with_hint("leave out one of them")
            .with_hint("-o table undoes HUMANITEC_OUTPUT and the configuration"));
    }
    let (org, app, env) = context.env()?;
    match (args.word.as_deref(), &args.reference) {
        (Some("deploy" | "deployment"), Some(reference)) => {
            let id = deployment_id(context, reference)?;
            let deployment = context.client().call(&endpoint::deployment(&org, &app, &env, &id))?;
            if let Some(format) = args.format {
                let found = load(context, &org, &app, &env, &deployment)?;
                return context.output.text(&draw(format, &found, &app, &env));
            }
            page(context, &org, &app, &env, &deployment)
        }
        (Some(word), _) => Err(CliError::user(format!("unknown word `{word}` after resources graph"))
            .with_hint("humctl resources graph deploy REF")),
        (None, _) => {
            // Listing also takes in what others deployed since.
            let deployments = context.client().call(&endpoint::deployments(&org, &app, &env))?;
            let Some(latest) = deployments.iter().find(|deployment| deployment.dependency_graph_id.is_some()) else {
                return Err(no_graph(&env, deployments.first()));
            };
            let found = load(context, &org, &app, &env, latest)?;
            if context.output.is_machine() {
                return context.output.document(&humctl_core::json::to_value(&found));
            }
            context.output.text(&draw(args.format.unwrap_or(GraphFormat::Dot), &found, &app, &env))
        }
    }
}

fn draw(format: GraphFormat, graph: &ResourceGraph, app: &AppId, env: &EnvId) -> String {
    let view = GraphView::new(graph, app.as_str(), env.as_str());
    match format {
        GraphFormat::Dot => dot::render(&view),
        GraphFormat::Mermaid => mermaid::render(&view),
        GraphFormat::Svg => svg::render(&view),
        GraphFormat::Html => html::render(&view, &BTreeMap::new()),
        GraphFormat::Ascii => ascii::render(&view),
    }
}

fn no_graph(env: &EnvId, latest: Option<&Deployment>) -> CliError {
    match latest {
        None => CliError::user(format!("no deployments in environment `{env}`")),
        Some(deployment) => CliError::user(format!(
            "deployment `{}` of environment `{env}` has no Resource Graph: it is {}",
            deployment.id, deployment.status
        ))
        .with_hint("see its errors with: humctl get deployment-error"),
    }
}

fn load(
    context: &Context,
    org: &OrgId,
    app: &AppId,
    env: &EnvId,
    deployment: &Deployment,
) -> Result<ResourceGraph, CliError> {
    match &deployment.dependency_graph_id {
        Some(id) => context.client().call(&endpoint::graph(org, app, env, id)),
        None => Err(no_graph(env, Some(deployment))),
    }
}

/// Prints the address of a page with the graph: the portal's for a hosted
/// Orchestrator, a file of ours otherwise.
fn page(context: &Context, org: &OrgId, app: &AppId, env: &EnvId, deployment: &Deployment) -> Result<(), CliError> {
    if !context.client().is_local() {
        return context.output.line(&format!(
            "https://app.humanitec.io{}/deploys/{}/graph",
            endpoint::env_path(org, app, env),
            deployment.id
        ));
    }
    let found = load(context, org, app, env, deployment)?;
    let directory = crate::env::cache_dir()
        .ok_or_else(|| {
            CliError::user("there is no home directory to write the page to").with_hint("set HOME or XDG_CACHE_HOME")
        })?
        .join("graphs");
    // The id of a graph follows from its nodes, so a Deployment without a change keeps the address.
    let file = directory.join(format!("{org}-{app}-{env}-{}.html", found.id));
    let file = std::path::absolute(&file).map_err(|error| CliError::file("write", &file, &error))?;
    write(&file, &draw(GraphFormat::Html, &found, app, env)).map_err(|error| CliError::file("write", &file, &error))?;
    context.output.line(&file_url(&file))
}

/// Writes a file that only its owner reads: the page shows inputs of Drivers.
/// A browser that reads it at this moment sees the old page or the new one.
fn write(file: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let draft = file.with_extension(format!("{}.draft", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut open = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = open.write_all(text.as_bytes()).and_then(|()| fs::rename(&draft, file));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// The address of an absolute path: what a URL cannot hold is percent-encoded.
fn file_url(path: &Path) -> String {
    let mut url = "file://".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_only_what_a_url_may_hold() {
        for (path, url) in [
            ("/home/ann/.cache/humctl/a-b.html", "file:///home/ann/.cache/humctl/a-b.html"),
            ("/home/a b#c?d%/ü.html", "file:///home/a%20b%23c%3Fd%25/%C3%BC.html"),
        ] {
            assert_eq!(file_url(Path::new(path)), url);
        }
    }
}

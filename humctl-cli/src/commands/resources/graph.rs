//! `humctl resources graph`, `humctl resources graph deploy REF`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::{fs, io};

use humctl_api_types::deployment::Deployment;
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvId, Guresid, OrgId};
use humctl_api_types::resource::{GraphNode, ResourceGraph};
use humctl_core::explain::Explanation;
use humctl_core::json;
use serde_json::{Value, json};

use crate::commands::references::deployment_id;
use crate::commands::resources::explain;
use crate::context::Context;
use crate::error::CliError;
use crate::output;
use crate::output::graph::{GraphView, ascii, dot, html, mermaid, svg};

/// Show the Resource Graph of an Environment
///
/// Without further words the graph of the latest Deployment is printed as DOT,
/// for Graphviz, or in the format that is asked for. With `deploy REF` one line
/// is printed: the address of a page with the graph of that Deployment.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl resources graph --format ascii --app shop --env development
  humctl resources graph --app shop --env development | dot -Tsvg > graph.svg
  humctl resources graph --format html --app shop --env development > graph.html
  humctl resources graph deploy . --app shop --env development

See also: humctl resources explain, humctl get")]
pub(crate) struct GraphArgs {
    /// How the graph is drawn [default: dot]
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<GraphFormat>,
    /// Also tell which rule chose each Definition, and why each resource needs another
    #[arg(long)]
    why: bool,
    /// The word deploy, with a REF after it
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
            let drawing = Drawing { context, org: &org, app: &app, env: &env, deployment: &deployment, why: args.why };
            match args.format {
                Some(format) => context.output.text(&drawing.draw(format)?),
                None => drawing.page(),
            }
        }
        (Some(word), _) => Err(CliError::user(format!("unknown word `{word}` after resources graph"))
            .with_hint("humctl resources graph deploy REF")),
        (None, _) => {
            // Listing also takes in what others deployed since.
            let deployments = context.client().call(&endpoint::deployments(&org, &app, &env))?;
            let Some(latest) = deployments.iter().find(|deployment| deployment.dependency_graph_id.is_some()) else {
                return Err(no_graph(&env, deployments.first()));
            };
            let drawing = Drawing { context, org: &org, app: &app, env: &env, deployment: latest, why: args.why };
            if context.output.is_machine() {
                return context.output.document(&drawing.document()?);
            }
            context.output.text(&drawing.draw(args.format.unwrap_or(GraphFormat::Dot))?)
        }
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

/// The graph of one Deployment, on its way to paper.
struct Drawing<'d> {
    context: &'d Context,
    org: &'d OrgId,
    app: &'d AppId,
    env: &'d EnvId,
    deployment: &'d Deployment,
    why: bool,
}

impl Drawing<'_> {
    fn load(&self) -> Result<ResourceGraph, CliError> {
        match &self.deployment.dependency_graph_id {
            Some(id) => self.context.client().call(&endpoint::graph(self.org, self.app, self.env, id)),
            None => Err(no_graph(self.env, Some(self.deployment))),
        }
    }

    fn explanations(&self) -> Result<BTreeMap<Guresid, Explanation>, CliError> {
        explain::of_deployment(self.context, self.app, self.env, self.deployment)
    }

    /// The API's graph object; with explanations beside it when they are asked for.
    fn document(&self) -> Result<Value, CliError> {
        let graph = json::to_value(&self.load()?);
        if !self.why {
            return Ok(graph);
        }
        let explanations: Vec<Value> = self.explanations()?.values().map(json::to_value).collect();
        Ok(json!({"graph": graph, "explanations": explanations}))
    }

    fn draw(&self, format: GraphFormat) -> Result<String, CliError> {
        self.drawn(&self.load()?, format)
    }

    fn drawn(&self, graph: &ResourceGraph, format: GraphFormat) -> Result<String, CliError> {
        let mut view = GraphView::new(graph, self.app.as_str(), self.env.as_str());
        let explanations = match (self.why, format) {
            (true, _) => self.explanations()?,
            // The page has a place for them, and is good without them too.
            (false, GraphFormat::Html) => self.explanations().unwrap_or_else(|error| {
                tracing::warn!("the page explains nothing: {}", error.text());
                BTreeMap::new()
            }),
            (false, _) => BTreeMap::new(),
        };
        if self.why {
            view = view.explained(&explanations);
        }
        Ok(match format {
            GraphFormat::Dot => dot::render(&view),
            GraphFormat::Mermaid => mermaid::render(&view),
            GraphFormat::Svg => svg::render(&view),
            GraphFormat::Html => html::render(&view, &panel_texts(graph, &explanations)),
            GraphFormat::Ascii => ascii::render(&view),
        })
    }

    /// Prints the address of a page with the graph: the portal's for a hosted
    /// Orchestrator, a file of ours otherwise.
    fn page(&self) -> Result<(), CliError> {
        let Self { context, org, app, env, deployment, .. } = self;
        if context.client().is_hosted() {
            return context.output.line(&format!(
                "https://app.humanitec.io{}/deploys/{}/graph",
                endpoint::env_path(org, app, env),
                deployment.id
            ));
        }
        let graph = self.load()?;
        let directory = crate::env::cache_dir()
            .ok_or_else(|| {
                CliError::user("there is no home directory to write the page to")
                    .with_hint("set HOME or XDG_CACHE_HOME")
            })?
            .join("graphs");
        // The id of a graph follows from its nodes, so a Deployment without a change keeps the address.
        let file = directory.join(format!("{org}-{app}-{env}-{}.html", graph.id));
        let file = std::path::absolute(&file).map_err(|error| CliError::file("write", &file, &error))?;
        let text = self.drawn(&graph, GraphFormat::Html)?;
        write(&file, &text).map_err(|error| CliError::file("write", &file, &error))?;
        context.output.line(&file_url(&file))
    }
}

/// What the panel of the page says of each resource. Definitions may have
/// changed since the graph was deployed; then it says so.
fn panel_texts(graph: &ResourceGraph, explanations: &BTreeMap<Guresid, Explanation>) -> BTreeMap<Guresid, String> {
    let text = |node: &GraphNode| {
        let explanation = explanations.get(&node.guresid)?;
        let mut text = output::explain::text(explanation);
        let now = explanation.definition.as_ref();
        if now.is_none_or(|now| now.id != node.def_id || now.version != node.def_version_id) {
            text.push_str("\n  Definitions have changed since this was deployed; this is how it would be made now.\n");
        }
        Some((node.guresid.clone(), text))
    };
    graph.nodes.iter().filter_map(text).collect()
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

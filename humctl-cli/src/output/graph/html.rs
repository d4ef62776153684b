//! A Resource Graph as one page: the picture, with a panel that tells all
//! about a node.
//!
//! # Invariants
//! The page asks nobody for anything: its Content-Security-Policy allows its
//! own style and script by their hash, and nothing else. It holds no secret:
//! of secret inputs it has only what they refer to.

use std::collections::BTreeMap;

use base64::Engine as _;
use humctl_api_types::id::Guresid;
use humctl_core::hash::sha256;
use humctl_core::{json, placeholder, yaml};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::output::graph::svg::{self, Picture};
use crate::output::graph::{GraphView, Vertex, VertexKind, escape_markup};

const PAGE_STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Renders the page. `explanations` says of a resource why it is there and why
/// it is made as it is; the panel shows the text where there is one.
pub(crate) fn render(view: &GraphView<'_>, explanations: &BTreeMap<Guresid, String>) -> String {
    let Picture { width, height, elements } = svg::draw(view);
    let style = format!("{}{PAGE_STYLE}", svg::STYLE);
    let title = escape_markup(&svg::title(view));
    let (app, env) = (escape_markup(view.app), escape_markup(view.env));
    let n_resources = view.n_resources();
    let resources = if n_resources == 1 { "resource" } else { "resources" };
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="picture">
<header>
<h1>Resource Graph</h1>
<p class="place"><span>app: <b>{app}</b></span> <span>env: <b>{env}</b></span> <span>{n_resources} {resources}</span></p>
<div class="search" role="search">
<label for="query">Search</label>
<input id="query" type="search" autocomplete="off" spellcheck="false" placeholder="id, type, Definition" aria-describedby="found" title="/ starts a search, Enter walks through what was found">
<output id="found" for="query"></output>
</div>
<div class="zoom" role="toolbar" aria-label="Zoom">
<button type="button" id="zoom-out" aria-label="Zoom out" title="Zoom out (-)">−</button>
<output id="scale" aria-label="Scale">100%</output>
<button type="button" id="zoom-in" aria-label="Zoom in" title="Zoom in (+)">+</button>
<button type="button" id="fit" title="Show the whole graph (0)">Fit</button>
</div>
</header>
<main>
<div id="stage">
<svg id="graph" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="group" aria-label="{title}">
{elements}</svg>
</div>
<aside id="panel" aria-labelledby="panel-title" hidden></aside>
</main>
<footer class="legend"><span class="key virtual-key">virtual nodes (environment, workloads)</span> <span class="key resource-key">active resources</span> <span>An arrow leads to what is depended on.</span></footer>
<script type="application/json" id="nodes">{nodes}</script>
<script>{SCRIPT}</script>
</body>
</html>
"#,
        style_hash = hash(&style),
        script_hash = hash(SCRIPT),
        nodes = script_data(&details(view, explanations)),
    )
}

/// SHA-256 as a Content-Security-Policy names it.
fn hash(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(sha256(text.as_bytes()))
}

/// JSON that a `<script>` element may hold: without `<`, no text in it can end
/// the element or open a comment.
fn script_data(value: &Value) -> String {
    json::canonical(value).replace('<', "\\u003c")
}

/// What the panel tells about a node.
#[derive(Debug, Serialize)]
struct Details<'g> {
    key: &'g str,
    /// Heading of the panel.
    name: &'g str,
    /// Pairs of label and text.
    facts: Vec<(&'static str, &'g str)>,
    /// Blocks of text, each with a label.
    inputs: Vec<(&'static str, String)>,
    /// Path and reference of each secret input.
    secrets: Vec<(String, String)>,
    explanation: Option<&'g str>,
    /// Positions of nodes.
    depends_on: Vec<usize>,
    /// Positions of nodes.
    needed_by: Vec<usize>,
}

fn details(view: &GraphView<'_>, explanations: &BTreeMap<Guresid, String>) -> Value {
    let mut needed_by = vec![Vec::new(); view.vertices.len()];
    for &(from, to) in &view.edges {
        needed_by[to].push(from);
    }
    let nodes: Vec<Details<'_>> = view
        .vertices
        .iter()
        .zip(view.dependencies().into_iter().zip(needed_by))
        .map(|(vertex, (depends_on, needed_by))| details_of(vertex, explanations, depends_on, needed_by))
        .collect();
    json::to_value(&nodes)
}

fn details_of<'g>(
    vertex: &'g Vertex<'g>,
    explanations: &'g BTreeMap<Guresid, String>,
    depends_on: Vec<usize>,
    needed_by: Vec<usize>,
) -> Details<'g> {
    let mut details = Details {
        key: &vertex.key,
        name: &vertex.key,
        facts: Vec::new(),
        inputs: Vec::new(),
        secrets: Vec::new(),
        explanation: None,
        depends_on,
        needed_by,
    };
    match vertex.kind {
        VertexKind::Environment => details.facts.push(("Virtual node", "the Environment")),
        VertexKind::Workload => details.facts.push(("Virtual node", "a Workload")),
        VertexKind::Resource(node) => {
            details.name = node.id.as_str();
            details.facts = vec![
                ("Type", node.res_type.as_str()),
                ("Class", node.class.as_str()),
                ("Id", node.id.as_str()),
                ("GUResID", node.guresid.as_str()),
                ("Definition", node.def_id.as_str()),
                ("Definition version", &node.def_version_id),
                ("Matching Criteria", &node.criteria_id),
                ("Driver", &node.driver_type),
                ("Driver account", node.driver_account.as_deref().unwrap_or_default()),
            ];
            details.facts.retain(|(_, text)| !text.is_empty());
            for (label, inputs) in [("Driver inputs", &node.driver.values), ("Resource inputs", &node.resource)] {
                if !inputs.is_empty() {
                    details.inputs.push((label, readable(inputs)));
                }
            }
            details.secrets = secrets(&node.driver.secret_refs);
            details.explanation = explanations.get(&node.guresid).map(String::as_str).filter(|text| !text.is_empty());
        }
    }
    details
}

/// YAML, in which templates keep their lines.
fn readable(inputs: &Map<String, Value>) -> String {
    let inputs = Value::Object(inputs.clone());
    let text = yaml::to_string(&inputs).unwrap_or_else(|_| json::pretty(&inputs));
    text.trim_end().to_owned()
}

/// Shown for a secret that refers to nothing.
const MASK: &str = "••••••";

/// The leaves of `secret_refs`: dotted path, and what each refers to as
/// `store/ref@version`. Never a value, except one that is a single placeholder
/// and so no secret.
fn secrets(tree: &Map<String, Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<(String, &Value)> = tree.iter().rev().map(|(key, value)| (key.clone(), value)).collect();
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(inner) if !is_reference(inner) => {
                open.extend(inner.iter().rev().map(|(key, value)| (format!("{path}.{key}"), value)));
            }
            Value::Array(items) => {
                open.extend(items.iter().enumerate().rev().map(|(number, value)| (format!("{path}[{number}]"), value)));
            }
            Value::Object(leaf) => found.push((path, reference(leaf))),
            _ => found.push((path, MASK.to_owned())),
        }
    }
    found
}

/// A leaf has texts where an inner object has objects.
fn is_reference(object: &Map<String, Value>) -> bool {
    ["store", "ref", "value"].iter().any(|key| object.get(*key).is_some_and(|value| !value.is_object()))
}

fn reference(leaf: &Map<String, Value>) -> String {
    let text = |key: &str| leaf.get(key).and_then(Value::as_str);
    let version = match leaf.get("version") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(version)) => format!("@{version}"),
        Some(version) => format!("@{version}"),
    };
    match (text("store"), text("ref"), text("value")) {
        (Some(store), Some(name), _) => format!("{store}/{name}{version}"),
        (None, Some(name), _) => format!("{name}{version}"),
        (_, _, Some(value)) if is_placeholder(value) => value.to_owned(),
        _ => MASK.to_owned(),
    }
}

/// True for text that is one placeholder and nothing else (rulings 14).
fn is_placeholder(text: &str) -> bool {
    placeholder::parse(text).is_ok_and(|template| template.single().is_some())
}

//! A Resource Graph as DOT and as a page with a drawing
//! (spec/cli.md §6.13.1).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use humctl_api_types::id::Guresid;
use humctl_api_types::resource::{GraphNode, ResourceGraph};

const VIRTUAL: &str = "style=\"filled\", color=\"#98d58e\", fillcolor=\"#dbeed5\"";
const RESOURCE: &str = "style=\"filled\", color=\"#8cbfd8\", fillcolor=\"#d9e8f1\"";

fn key(node: &GraphNode) -> String {
    format!("{}.{}#{}", node.res_type, node.class, node.id)
}

/// The Workload of a `workload` resource.
fn workload_of(node: &GraphNode) -> Option<&str> {
    (node.res_type.as_str() == "workload").then(|| node.id.as_str().strip_prefix("modules.")).flatten()
}

/// Lines from virtual nodes and resources to what they need.
fn edges(graph: &ResourceGraph) -> BTreeSet<(String, String)> {
    let keys: BTreeMap<&Guresid, String> = graph.nodes.iter().map(|node| (&node.guresid, key(node))).collect();
    let mut edges = BTreeSet::new();
    for node in &graph.nodes {
        if let Some(workload) = workload_of(node) {
            edges.insert((format!("workload.{workload}"), "base".to_owned()));
            edges.insert((format!("workload.{workload}"), key(node)));
        }
        if node.res_type.as_str() == "base-env" && node.id.as_str() == "base-env" {
            edges.insert(("base".to_owned(), key(node)));
        }
        for producer in node.depends_on.iter().filter_map(|guresid| keys.get(guresid)) {
            edges.insert((key(node), producer.clone()));
        }
    }
    edges
}

/// The graph for Graphviz; the same graph gives the same text.
pub(crate) fn dot(graph: &ResourceGraph, app: &str, env: &str) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    let title = format!(
        "Resource Graph\napp: {app}, env: {env}\n\ngreen: virtual nodes (environment, workloads), blue: active resources"
    );
    let mut out = format!("digraph {{\n  label={};\n  labelloc=\"t\";\n", quote(&title));
    let mut virtual_nodes: Vec<String> =
        graph.nodes.iter().filter_map(workload_of).map(|workload| format!("workload.{workload}")).collect();
    virtual_nodes.push("base".to_owned());
    virtual_nodes.sort();
    for name in &virtual_nodes {
        let _ = writeln!(out, "  {0} [label={0}, {VIRTUAL}];", quote(name));
    }
    let mut nodes: Vec<&GraphNode> = graph.nodes.iter().collect();
    nodes.sort_by_key(|node| key(node));
    for node in nodes {
        let label = format!("id: {}\ntype: {}\nclass: {}", node.id, node.res_type, node.class);
        let _ = writeln!(out, "  {} [label={}, {RESOURCE}];", quote(&key(node)), quote(&label));
    }
    for (from, to) in edges(graph) {
        let _ = writeln!(out, "  {} -> {};", quote(&from), quote(&to));
    }
    out.push_str("}\n");
    out
}

/// Generous for the 12-pixel letters of a box.
const LETTER_WIDTH: usize = 7;
const BOX_HEIGHT: usize = 64;
const GAP: usize = 40;

/// A page with the graph drawn in rows: what is provisioned first is at the
/// bottom. It needs no network.
pub(crate) fn html(graph: &ResourceGraph, app: &str, env: &str) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let rows = rows(graph);
    let box_width = graph.nodes.iter().flat_map(box_lines).map(|line| line.chars().count()).max().unwrap_or_default()
        * LETTER_WIDTH
        + 20;
    let widest = rows.iter().map(Vec::len).max().unwrap_or_default().max(1);
    let width = widest * (box_width + GAP) + GAP;
    let height = rows.len() * (BOX_HEIGHT + GAP * 2) + GAP;
    let mut places: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut boxes = String::new();
    for (row, nodes) in rows.iter().rev().enumerate() {
        for (column, node) in nodes.iter().enumerate() {
            let x = GAP + column * (box_width + GAP);
            let y = GAP + row * (BOX_HEIGHT + GAP * 2);
            places.insert(key(node), (x, y));
            let [t, id, def] = box_lines(node).map(|line| escape(&line));
            let _ = writeln!(
                boxes,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{box_width}\" height=\"{BOX_HEIGHT}\" rx=\"8\"/>\
                 <text x=\"{tx}\" y=\"{y1}\" class=\"t\">{t}</text><text x=\"{tx}\" y=\"{y2}\">{id}</text>\
                 <text x=\"{tx}\" y=\"{y3}\" class=\"d\">{def}</text>",
                tx = x + 10,
                y1 = y + 20,
                y2 = y + 38,
                y3 = y + 55,
            );
        }
    }
    let mut lines = String::new();
    for (from, to) in edges(graph) {
        if let (Some((x1, y1)), Some((x2, y2))) = (places.get(&from), places.get(&to)) {
            let (x1, y1, x2, y2) = (x1 + box_width / 2, y1 + BOX_HEIGHT, x2 + box_width / 2, y2);
            let _ = writeln!(
                lines,
                "<path d=\"M{x1},{y1} C{x1},{} {x2},{} {x2},{y2}\"/>",
                y1 + GAP,
                y2.saturating_sub(GAP)
            );
        }
    }
    let title = escape(&format!("Resource Graph of {app}/{env}"));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>\n\
         body{{font:14px sans-serif;margin:2em;color:#123}} rect{{fill:#d9e8f1;stroke:#8cbfd8}} text{{font-size:12px}}\n\
         .t{{font-weight:bold}} .d{{fill:#567}} path{{fill:none;stroke:#345;marker-end:url(#a)}}\n</style></head>\n<body><h1>{title}</h1>\n\
         <p>An arrow leads from a resource to one that it needs. Each box names type and class, id, and Resource Definition.</p>\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\"><defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" \
         markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" style=\"fill:#345;stroke:none\"/></marker></defs>\n\
         {lines}{boxes}</svg>\n</body></html>\n"
    )
}

/// What a node's box says: type and class, id, Resource Definition.
fn box_lines(node: &GraphNode) -> [String; 3] {
    [format!("{}.{}", node.res_type, node.class), node.id.to_string(), node.def_id.to_string()]
}

/// Nodes by wave: the first row needs nothing.
fn rows(graph: &ResourceGraph) -> Vec<Vec<&GraphNode>> {
    let mut wave_of: BTreeMap<&Guresid, usize> = BTreeMap::new();
    let mut rows: Vec<Vec<&GraphNode>> = Vec::new();
    // The API lists nodes in provisioning order, so producers have their wave already.
    for node in &graph.nodes {
        let wave = node.depends_on.iter().filter_map(|id| wave_of.get(id)).max().map_or(0, |wave| wave + 1);
        wave_of.insert(&node.guresid, wave);
        if rows.len() <= wave {
            rows.resize_with(wave + 1, Vec::new);
        }
        rows[wave].push(node);
    }
    rows
}

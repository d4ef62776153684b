//! The picture of a Resource Graph, as text: DOT, Mermaid, SVG, a page, a tree
//! (spec/cli.md §6.13.1).
//!
//! [`GraphView`] says once what there is to draw, and each format is a pure
//! function of it: the same graph gives the same bytes. Whatever a name holds,
//! each format escapes it in one place of its own.

pub(crate) mod ascii;
pub(crate) mod dot;
pub(crate) mod html;
mod layout;
pub(crate) mod mermaid;
pub(crate) mod svg;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::id::Guresid;
use humctl_api_types::resource::{GraphNode, ResourceGraph};

/// What there is to draw of a Resource Graph.
#[derive(Debug)]
pub(crate) struct GraphView<'g> {
    /// The Application.
    pub(crate) app: &'g str,
    /// The Environment.
    pub(crate) env: &'g str,
    /// Virtual nodes first, then resources; each sorted by key.
    vertices: Vec<Vertex<'g>>,
    /// Positions in `vertices`: what depends, and what it depends on. Sorted by keys.
    edges: Vec<(usize, usize)>,
}

/// A virtual node or a resource.
#[derive(Debug)]
struct Vertex<'g> {
    /// Unique among the vertices of a graph.
    key: String,
    kind: VertexKind<'g>,
}

#[derive(Debug, Clone, Copy)]
enum VertexKind<'g> {
    /// The virtual node `base`.
    Environment,
    /// The virtual node of a Workload.
    Workload,
    Resource(&'g GraphNode),
}

impl<'g> GraphView<'g> {
    /// Adds the virtual nodes of an Environment to its resources. What a
    /// resource depends on outside the graph is left out.
    pub(crate) fn new(graph: &'g ResourceGraph, app: &'g str, env: &'g str) -> Self {
        let resources: BTreeMap<String, &GraphNode> = graph.nodes.iter().map(|node| (key(node), node)).collect();
        let keys: BTreeMap<&Guresid, &str> =
            resources.iter().map(|(key, node)| (&node.guresid, key.as_str())).collect();
        let mut virtual_nodes = BTreeMap::from([(BASE.to_owned(), VertexKind::Environment)]);
        let mut edges: BTreeSet<(String, String)> = BTreeSet::new();
        for (key, node) in &resources {
            if let Some(workload) = workload_of(node) {
                let name = format!("workload.{workload}");
                edges.insert((name.clone(), BASE.to_owned()));
                edges.insert((name.clone(), key.clone()));
                virtual_nodes.insert(name, VertexKind::Workload);
            }
            if node.res_type.as_str() == "base-env" && node.id.as_str() == "base-env" {
                edges.insert((BASE.to_owned(), key.clone()));
            }
            for dependency in node.depends_on.iter().filter_map(|guresid| keys.get(guresid)) {
                edges.insert((key.clone(), (*dependency).to_owned()));
            }
        }
        let vertices: Vec<Vertex<'g>> = virtual_nodes
            .into_iter()
            .chain(resources.iter().map(|(key, node)| (key.clone(), VertexKind::Resource(node))))
            .map(|(key, kind)| Vertex { key, kind })
            .collect();
        let positions: BTreeMap<&str, usize> =
            vertices.iter().enumerate().map(|(position, vertex)| (vertex.key.as_str(), position)).collect();
        let edges = edges.iter().map(|(from, to)| (positions[from.as_str()], positions[to.as_str()])).collect();
        Self { app, env, vertices, edges }
    }

    /// Positions of what each vertex depends on.
    fn dependencies(&self) -> Vec<Vec<usize>> {
        let mut dependencies = vec![Vec::new(); self.vertices.len()];
        for &(from, to) in &self.edges {
            dependencies[from].push(to);
        }
        dependencies
    }

    /// The vertices that are resources.
    fn n_resources(&self) -> usize {
        self.vertices.iter().filter(|vertex| matches!(vertex.kind, VertexKind::Resource(_))).count()
    }
}

impl Vertex<'_> {
    /// What the vertex says of itself: the name of a virtual node, or id,
    /// type and class of a resource.
    fn label(&self) -> Vec<String> {
        match self.kind {
            VertexKind::Environment | VertexKind::Workload => vec![self.key.clone()],
            VertexKind::Resource(node) => {
                vec![format!("id: {}", node.id), format!("type: {}", node.res_type), format!("class: {}", node.class)]
            }
        }
    }

    fn is_virtual(&self) -> bool {
        !matches!(self.kind, VertexKind::Resource(_))
    }
}

/// The virtual node of the Environment.
const BASE: &str = "base";

/// `type.class#id`. Neither type nor class can hold `.` or `#`, so no two
/// resources share a key.
fn key(node: &GraphNode) -> String {
    format!("{}.{}#{}", node.res_type, node.class, node.id)
}

/// The Workload of a `workload` resource. A name with `#`, which no Workload
/// has, would make its virtual node look like a resource.
fn workload_of(node: &GraphNode) -> Option<&str> {
    let name = node.id.as_str().strip_prefix("modules.")?;
    (node.res_type.as_str() == "workload" && !name.contains('#')).then_some(name)
}

/// Text for XML and HTML, in content and in attributes. Characters that XML
/// forbids become U+FFFD.
fn escape_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if c.is_control() => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

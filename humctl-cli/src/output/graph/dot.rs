//! A Resource Graph for Graphviz.

use std::fmt::Write as _;

use crate::output::graph::GraphView;

pub(super) const VIRTUAL: &str = "style=\"filled\", color=\"#98d58e\", fillcolor=\"#dbeed5\"";
pub(super) const RESOURCE: &str = "style=\"filled\", color=\"#8cbfd8\", fillcolor=\"#d9e8f1\"";

/// Renders the graph as DOT, one statement a line.
pub(crate) fn render(view: &GraphView<'_>) -> String {
    let title = format!(
        "Resource Graph\napp: {}, env: {}\n\ngreen: virtual nodes (environment, workloads), blue: active resources",
        view.app, view.env
    );
    let mut out = format!("digraph {{\n  label={};\n  labelloc=\"t\";\n", quote(&title));
    for vertex in &view.vertices {
        let style = if vertex.is_virtual() { VIRTUAL } else { RESOURCE };
        let _ = writeln!(out, "  {} [label={}, {style}];", quote(&vertex.key), quote(&vertex.label().join("\n")));
    }
    for &(from, to) in &view.edges {
        let _ = writeln!(out, "  {} -> {};", quote(&view.vertices[from].key), quote(&view.vertices[to].key));
    }
    out.push_str("}\n");
    out
}

/// A string of DOT. The backslash is doubled because Graphviz reads `\N`, `\G`
/// and others in labels, and `&` is an entity because it reads those too.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '&' => out.push_str("&amp;"),
            _ if c.is_control() => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

//! A Resource Graph for Mermaid, which Markdown pages of Git hosts draw.

use std::fmt::Write as _;

use crate::output::graph::GraphView;

/// Renders the graph as a Mermaid flowchart. Nodes are `n0`, `n1`, …, so that
/// no name meets a keyword such as `end`.
pub(crate) fn render(view: &GraphView<'_>) -> String {
    let title = format!("Resource Graph, app: {}, env: {}", view.app, view.env);
    let mut out = format!("---\ntitle: {}\n---\nflowchart TB\n", quote_yaml(&title));
    for (position, vertex) in view.vertices.iter().enumerate() {
        let label: Vec<String> = vertex.label().iter().map(|line| escape(line)).collect();
        let (open, close, class) = if vertex.is_virtual() { ("([", "])", "virtual") } else { ("[", "]", "resource") };
        let _ = writeln!(out, "  n{position}{open}\"{}\"{close}:::{class}", label.join("<br/>"));
    }
    for (from, to) in &view.edges {
        let _ = writeln!(out, "  n{from} --> n{to}");
    }
    out.push_str("  classDef virtual fill:#dbeed5,stroke:#98d58e,color:#123\n");
    out.push_str("  classDef resource fill:#d9e8f1,stroke:#8cbfd8,color:#123\n");
    out
}

/// Text of a label: Mermaid's own numbered entities for all that could be
/// markup, a directive or Markdown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

/// The title as a YAML string. Mermaid looks for directives in the whole text,
/// so what is not plain is written as its number here too.
fn quote_yaml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if is_plain(c) {
            out.push(c);
        } else {
            let _ = write!(out, "\\U{:08x}", u32::from(c));
        }
    }
    out.push('"');
    out
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | ':' | '/' | '-' | '_')
}

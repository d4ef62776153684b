//! Graphs whose names try to be markup, statements or the end of a string:
//! each format is read back by a strict reader.

use std::collections::BTreeMap;

use humctl_api_types::id::Guresid;
use humctl_api_types::resource::ResourceGraph;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{graph, node, panel};
use crate::output::graph::{GraphView, ascii, dot, html, mermaid, svg};

/// A graph whose names try to be something else, without a cycle.
#[derive(Debug)]
struct Hostile {
    graph: ResourceGraph,
    app: String,
    env: String,
}

fn hostile() -> impl Strategy<Value = Hostile> {
    let piece = prop_oneof![
        Just("\""),
        Just("'"),
        Just("\\"),
        Just("<"),
        Just("</script>"),
        Just("</svg>"),
        Just("<!--"),
        Just("&"),
        Just("&amp;"),
        Just("]]>"),
        Just("-->"),
        Just("\n"),
        Just("\r\n"),
        Just("\u{2028}"),
        Just("\0"),
        Just("\u{ffff}"),
        Just("]"),
        Just("];"),
        Just("->"),
        Just("%%{init}"),
        Just("#quot;"),
        Just("`"),
        Just("界"),
        Just("🦀"),
        Just("e\u{301}"),
        Just("\u{202e}"),
        Just("end"),
        Just("${x}"),
        Just("(*)"),
        Just("|-- "),
        Just("\\N"),
        Just("\n---\n"),
        Just("a"),
        Just("modules."),
        Just("0123456789012345678901234567890123456789"),
    ];
    let text = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    let resource = (
        prop_oneof![Just("workload"), Just("base-env"), Just("postgres"), Just("my-org/queue")],
        prop_oneof![Just("default"), Just("large_1")],
        text.clone(),
        text.clone(),
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    );
    (prop::collection::vec(resource, 0..14), text.clone(), text).prop_map(|(resources, app, env)| {
        let mut nodes = Vec::new();
        for (position, (res_type, class, id, text, below)) in resources.into_iter().enumerate() {
            // What an id can hold is checked where it is read; the rest is any text.
            let id: String = id.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
            let below: Vec<usize> = below.iter().filter(|_| position > 0).map(|index| index.index(position)).collect();
            let mut node = node(position, &format!("{res_type}.{class}#modules.{id}{position}"), &below);
            node.driver_type = text.clone();
            node.def_version_id = text.clone();
            node.driver.values.insert(text.clone(), Value::String(text.clone()));
            node.driver.secret_refs.insert(text.clone(), json!({"store": text, "ref": text}));
            nodes.push(node);
        }
        Hostile { graph: graph(nodes), app, env }
    })
}

/// Reads a string of DOT; returns what is behind it too.
fn read_dot_string(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut rest = text.strip_prefix('"').unwrap();
    loop {
        let c = rest.chars().next().unwrap();
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => return (out.replace("&amp;", "&"), rest),
            '\\' => {
                out.push(if rest.starts_with('n') { '\n' } else { rest.chars().next().unwrap() });
                rest = &rest[1..];
            }
            _ => out.push(c),
        }
    }
}

/// Keys of vertices, and pairs of keys, as a format shows them; sorted.
type Shown = (Vec<String>, Vec<(String, String)>);

fn expected(view: &GraphView<'_>) -> Shown {
    let key = |position: usize| view.vertices[position].key.clone();
    let edges = view.edges.iter().map(|&(from, to)| (key(from), key(to))).collect();
    sorted((0..view.vertices.len()).map(key).collect(), edges)
}

fn sorted(mut vertices: Vec<String>, mut edges: Vec<(String, String)>) -> Shown {
    vertices.sort();
    edges.sort();
    (vertices, edges)
}

fn read_dot(text: &str) -> Shown {
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[2], *lines.last().unwrap()), ("digraph {", "  labelloc=\"t\";", "}"));
    assert_eq!(read_dot_string(lines[1].strip_prefix("  label=").unwrap()).1, ";");
    let (mut vertices, mut edges) = (Vec::new(), Vec::new());
    for line in &lines[3..lines.len() - 1] {
        let (key, rest) = read_dot_string(line.strip_prefix("  ").unwrap());
        if let Some(rest) = rest.strip_prefix(" -> ") {
            let (to, rest) = read_dot_string(rest);
            assert_eq!(rest, ";");
            edges.push((key, to));
        } else {
            let (_, rest) = read_dot_string(rest.strip_prefix(" [label=").unwrap());
            assert!(
                [dot::VIRTUAL, dot::RESOURCE].map(|style| format!(", {style}];")).contains(&rest.to_owned()),
                "{rest}"
            );
            vertices.push(key);
        }
    }
    sorted(vertices, edges)
}

/// Labels stand for keys, which Mermaid text does not have.
fn read_mermaid(text: &str, view: &GraphView<'_>) -> Shown {
    let decode = |label: &str| {
        let lines = label.split("<br/>").map(|line| {
            let mut parts = line.split('#');
            let mut out = parts.next().unwrap().to_owned();
            for part in parts {
                let (number, rest) = part.split_once(';').unwrap();
                out.push(char::from_u32(number.parse().unwrap()).unwrap());
                out.push_str(rest);
            }
            assert!(!line.contains(['"', '<', '&', '%', '{', '`', '\n']), "{line}");
            out
        });
        lines.collect::<Vec<_>>()
    };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[2], lines[3]), ("---", "---", "flowchart TB"));
    assert_eq!(text.matches("%%").count(), 0);
    let (mut vertices, mut edges) = (Vec::new(), Vec::new());
    let position = |name: &str| name.strip_prefix('n').unwrap().parse::<usize>().unwrap();
    let key = |position: usize| view.vertices[position].key.clone();
    for line in &lines[4..lines.len() - 2] {
        if let Some((from, to)) = line.trim_start().split_once(" --> ") {
            edges.push((key(position(from)), key(position(to))));
        } else {
            let (name, rest) = line.trim_start().split_once(['[', '(']).unwrap();
            let label = rest.trim_start_matches('[').strip_prefix('"').unwrap().rsplit_once('"').unwrap().0;
            assert_eq!(decode(label), view.vertices[position(name)].label());
            vertices.push(key(position(name)));
        }
    }
    sorted(vertices, edges)
}

fn read_ascii(text: &str, view: &GraphView<'_>) -> Shown {
    let (mut vertices, mut edges) = (Vec::new(), Vec::new());
    let mut path: Vec<String> = Vec::new();
    for line in text.lines() {
        let body = line.trim_start_matches(['|', ' ', '`', '-']);
        let depth = (line.len() - body.len()) / 4;
        let key = body.trim_end_matches(" (*)").split(" [").next().unwrap().to_owned();
        path.truncate(depth);
        if let Some(parent) = path.last() {
            edges.push((parent.clone(), key.clone()));
        }
        assert!(view.vertices.iter().any(|vertex| vertex.key == key), "{line}");
        vertices.push(key.clone());
        path.push(key);
    }
    // A vertex stands wherever something depends on it, what is below it but once.
    vertices.sort();
    vertices.dedup();
    sorted(vertices, edges)
}

/// Checks that text is well-formed markup, with elements and attributes of
/// ours only, and returns the vertices and edges in it.
fn read_markup(text: &str, view: &GraphView<'_>) -> Shown {
    let (mut vertices, mut edges) = (Vec::new(), Vec::new());
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    let key = |position: &str| view.vertices[position.parse::<usize>().unwrap()].key.clone();
    while let Some((content, tail)) = rest.split_once('<') {
        for reference in content.split('&').skip(1) {
            assert!(
                ["amp;", "lt;", "gt;", "quot;", "#39;", "#10;"].iter().any(|name| reference.starts_with(name)),
                "{content}"
            );
        }
        assert!(
            !content.contains('>') && content.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'),
            "{content:?}"
        );
        let (tag, behind) = tail.split_once('>').unwrap();
        rest = behind;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        assert!(ELEMENTS.contains(&name), "<{tag}>");
        let attribute = |name: &str| Some(tag.split_once(&format!(" {name}=\""))?.1.split_once('"').unwrap().0);
        assert!(!tag.contains(" on"), "<{tag}>");
        if attribute("class").is_some_and(|class| class.starts_with("node ")) {
            vertices.push(key(attribute("id").unwrap().strip_prefix("node-").unwrap()));
        }
        // Wide pictures have lines that go across, too.
        if attribute("class").is_some_and(|class| class.split(' ').next() == Some("edge")) {
            edges.push((key(attribute("data-from").unwrap()), key(attribute("data-to").unwrap())));
        }
        if ["style", "script"].contains(&name) {
            rest = rest.split_once(&format!("</{name}>")).unwrap().1;
        } else if !tag.ends_with('/') && !["!doctype", "meta", "input"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    sorted(vertices, edges)
}

const ELEMENTS: &[&str] = &[
    "!doctype", "html", "head", "meta", "title", "style", "body", "header", "h1", "p", "span", "b", "div", "label",
    "input", "output", "button", "main", "svg", "defs", "marker", "path", "g", "rect", "text", "aside", "footer",
    "script",
];

proptest! {
    #[test]
    fn every_node_and_edge_is_in_each_format_once_and_no_name_breaks_out(hostile in hostile()) {
        let Hostile { graph, app, env } = &hostile;
        let view = GraphView::new(graph, app, env);
        let expected = expected(&view);
        prop_assert_eq!(&read_dot(&dot::render(&view)), &expected);
        prop_assert_eq!(&read_mermaid(&mermaid::render(&view), &view), &expected);
        prop_assert_eq!(&read_ascii(&ascii::render(&view), &view), &expected);
        prop_assert_eq!(&read_markup(&svg::render(&view), &view), &expected);
        let text: BTreeMap<Guresid, String> =
            graph.nodes.iter().map(|node| (node.guresid.clone(), node.driver_type.clone())).collect();
        let page = html::render(&view, &text);
        prop_assert_eq!(&read_markup(&page, &view), &expected);
        prop_assert_eq!(page.matches("<script").count(), 2);
        let panel = panel(&page);
        let keys: Vec<&str> = panel.as_array().unwrap().iter().map(|node| node["key"].as_str().unwrap()).collect();
        let vertices: Vec<&str> = view.vertices.iter().map(|vertex| vertex.key.as_str()).collect();
        prop_assert_eq!(keys, vertices);
        prop_assert_eq!(page, html::render(&GraphView::new(graph, app, env), &text), "the same graph, the same bytes");
    }
}

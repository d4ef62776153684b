//! The formats of a Resource Graph: what they say of a small graph, and what
//! no graph may do to them.

use std::collections::BTreeMap;

use humctl_api_types::id::Guresid;
use humctl_api_types::resource::{GraphNode, ResourceGraph};
use humctl_api_types::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::output::graph::{GraphView, ascii, dot, html, mermaid, svg};

/// A node by its key, `type.class#id`; it depends on nodes by their position.
fn node(position: usize, key: &str, depends_on: &[usize]) -> GraphNode {
    let (res_type, rest) = key.split_once('.').unwrap();
    let (class, id) = rest.split_once('#').unwrap();
    let guresid = |position: usize| format!("{position:040x}");
    serde_json::from_value(json!({
        "type": res_type, "class": class, "id": id, "guresid": guresid(position),
        "def_id": format!("{}-def", res_type.replace('/', "-")), "def_version_id": "0193-v1", "criteria_id": "c1",
        "driver_type": "humanitec/echo", "driver": {}, "resource": {}, "resource_schema": {},
        "depends_on": depends_on.iter().copied().map(guresid).collect::<Vec<_>>(), "in_place_driver_change": false,
    }))
    .unwrap()
}

fn graph(nodes: Vec<GraphNode>) -> ResourceGraph {
    ResourceGraph {
        id: "1".to_owned(),
        hash: "1".to_owned(),
        nodes,
        created_at: Timestamp::default(),
        used_at: Timestamp::default(),
    }
}

/// A Workload with a database, in an Environment.
fn story() -> ResourceGraph {
    graph(vec![
        node(0, "base-env.default#base-env", &[]),
        node(1, "postgres.default#modules.web.externals.db", &[0]),
        node(2, "workload.default#modules.web", &[1]),
    ])
}

/// Workloads with a database, a route and a bucket each, and what they share.
fn shop(n_workloads: usize) -> ResourceGraph {
    let mut nodes = vec![
        node(0, "base-env.default#base-env", &[]),
        node(1, "k8s-namespace.default#k8s-namespace", &[0]),
        node(2, "dns.default#shared.dns", &[]),
        node(3, "postgres-instance.default#shared.postgres", &[0]),
    ];
    for number in 0..n_workloads {
        let first = nodes.len();
        let workload = format!("service-{number}");
        let external =
            |res_type: &str, class: &str, name: &str| format!("{res_type}.{class}#modules.{workload}.externals.{name}");
        nodes.push(node(first, &external("postgres", "default", "db"), &[3]));
        nodes.push(node(first + 1, &external("s3", "sensitive", "uploads"), &[]));
        nodes.push(node(first + 2, &external("aws-policy", "default", "uploads"), &[first + 1]));
        nodes.push(node(first + 3, &external("route", "default", "web"), &[2]));
        nodes.push(node(first + 4, &format!("k8s-service-account.default#modules.{workload}"), &[first + 2]));
        nodes.push(node(
            first + 5,
            &format!("workload.default#modules.{workload}"),
            &[1, first, first + 1, first + 3, first + 4],
        ));
    }
    graph(nodes)
}

fn page(graph: &ResourceGraph) -> String {
    html::render(&GraphView::new(graph, "shop", "development"), &BTreeMap::new())
}

/// The data of the panel.
fn panel(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"nodes\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn dot_is_for_graphviz() {
    insta::assert_snapshot!(dot::render(&GraphView::new(&story(), "shop", "development")), @r##"
    digraph {
      label="Resource Graph\napp: shop, env: development\n\ngreen: virtual nodes (environment, workloads), blue: active resources";
      labelloc="t";
      "base" [label="base", style="filled", color="#98d58e", fillcolor="#dbeed5"];
      "workload.web" [label="workload.web", style="filled", color="#98d58e", fillcolor="#dbeed5"];
      "base-env.default#base-env" [label="id: base-env\ntype: base-env\nclass: default", style="filled", color="#8cbfd8", fillcolor="#d9e8f1"];
      "postgres.default#modules.web.externals.db" [label="id: modules.web.externals.db\ntype: postgres\nclass: default", style="filled", color="#8cbfd8", fillcolor="#d9e8f1"];
      "workload.default#modules.web" [label="id: modules.web\ntype: workload\nclass: default", style="filled", color="#8cbfd8", fillcolor="#d9e8f1"];
      "base" -> "base-env.default#base-env";
      "postgres.default#modules.web.externals.db" -> "base-env.default#base-env";
      "workload.default#modules.web" -> "postgres.default#modules.web.externals.db";
      "workload.web" -> "base";
      "workload.web" -> "workload.default#modules.web";
    }
    "##);
}

#[test]
fn mermaid_is_for_markdown() {
    insta::assert_snapshot!(mermaid::render(&GraphView::new(&story(), "shop", "development")), @r#"
    ---
    title: "Resource Graph, app: shop, env: development"
    ---
    flowchart TB
      n0(["base"]):::virtual
      n1(["workload.web"]):::virtual
      n2["id: base-env<br/>type: base-env<br/>class: default"]:::resource
      n3["id: modules.web.externals.db<br/>type: postgres<br/>class: default"]:::resource
      n4["id: modules.web<br/>type: workload<br/>class: default"]:::resource
      n0 --> n2
      n3 --> n2
      n4 --> n3
      n1 --> n0
      n1 --> n4
      classDef virtual fill:#dbeed5,stroke:#98d58e,color:#123
      classDef resource fill:#d9e8f1,stroke:#8cbfd8,color:#123
    "#);
}

#[test]
fn ascii_is_a_tree_that_shows_each_branch_once() {
    let mut graph = story();
    graph.nodes.push(node(3, "workload.default#modules.api", &[1]));
    insta::assert_snapshot!(ascii::render(&GraphView::new(&graph, "shop", "development")), @"
    workload.api
    |-- base
    |   `-- base-env.default#base-env [base-env-def]
    `-- workload.default#modules.api [workload-def]
        `-- postgres.default#modules.web.externals.db [postgres-def]
            `-- base-env.default#base-env [base-env-def]
    workload.web
    |-- base (*)
    `-- workload.default#modules.web [workload-def]
        `-- postgres.default#modules.web.externals.db [postgres-def] (*)
    ");
}

#[test]
fn a_cycle_which_no_planned_graph_has_ends() {
    let graph = graph(vec![node(0, "s3.default#shared.a", &[1]), node(1, "s3.default#shared.b", &[0])]);
    let view = GraphView::new(&graph, "shop", "development");
    insta::assert_snapshot!(ascii::render(&view), @"
    base
    s3.default#shared.a [s3-def]
    `-- s3.default#shared.b [s3-def]
        `-- s3.default#shared.a [s3-def] (*)
    ");
    assert_eq!(svg::render(&view).matches("class=\"edge\"").count(), 2);
}

#[test]
fn svg_is_a_picture_of_boxes_and_lines() {
    let picture = svg::render(&GraphView::new(&story(), "shop", "development"));
    let (head, rest) = picture.split_once("<style>").unwrap();
    let (style, rest) = rest.split_once("</style>").unwrap();
    assert!(style.contains("@media (prefers-color-scheme: dark)"));
    insta::assert_snapshot!(format!("{head}[STYLE]{rest}"), @r#"
    <svg xmlns="http://www.w3.org/2000/svg" width="296" height="523" viewBox="0 0 296 523" role="img" class="picture">
    <title>Resource Graph, app: shop, env: development</title>
    [STYLE]
    <rect class="paper" width="296" height="523"/>
    <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0,0.5 8,4 0,7.5z"/></marker></defs>
    <path class="edge" data-from="0" data-to="2" marker-end="url(#arrow)" d="M224,334.5L224,360C224,392 155.5,392 155.5,424"/>
    <path class="edge" data-from="3" data-to="2" marker-end="url(#arrow)" d="M87,360C87,392 155.5,392 155.5,424"/>
    <path class="edge" data-from="4" data-to="3" marker-end="url(#arrow)" d="M87,204L87,268"/>
    <path class="edge" data-from="1" data-to="0" marker-end="url(#arrow)" d="M155.5,65C155.5,97 224,97 224,129L224,204L224,268L224,293.5"/>
    <path class="edge" data-from="1" data-to="4" marker-end="url(#arrow)" d="M155.5,65C155.5,97 87,97 87,129"/>
    <g id="node-0" class="node virtual"><title>Environment</title><rect x="176" y="293.5" width="96" height="41" rx="20.5"/><text class="name" x="224" y="317.3">base</text></g>
    <g id="node-1" class="node virtual"><title>Workload web</title><rect x="92" y="24" width="127" height="41" rx="20.5"/><text class="name" x="155.5" y="47.8">workload.web</text></g>
    <g id="node-2" class="node resource"><title>base-env.default#base-env&#10;Definition: base-env-def&#10;Driver: humanitec/echo</title><rect x="95.5" y="424" width="120" height="75" rx="8"/><text class="name" x="155.5" y="447.8">base-env</text><text class="detail" x="155.5" y="464.8">type: base-env</text><text class="detail" x="155.5" y="481.8">class: default</text></g>
    <g id="node-3" class="node resource"><title>postgres.default#modules.web.externals.db&#10;Definition: postgres-def&#10;Driver: humanitec/echo</title><rect x="24" y="268" width="126" height="92" rx="8"/><text class="name" x="87" y="291.8">modules.web.</text><text class="name" x="87" y="308.8">externals.db</text><text class="detail" x="87" y="325.8">type: postgres</text><text class="detail" x="87" y="342.8">class: default</text></g>
    <g id="node-4" class="node resource"><title>workload.default#modules.web&#10;Definition: workload-def&#10;Driver: humanitec/echo</title><rect x="26" y="129" width="122" height="75" rx="8"/><text class="name" x="87" y="152.8">modules.web</text><text class="detail" x="87" y="169.8">type: workload</text><text class="detail" x="87" y="186.8">class: default</text></g>
    </svg>
    "#);
}

#[test]
fn a_large_graph_is_drawn_in_blocks_that_a_window_can_show() {
    let graph = shop(42);
    assert_eq!(graph.nodes.len(), 256);
    let picture = svg::render(&GraphView::new(&graph, "shop", "development"));
    // A block for each Workload, which has a name, and one for what they share.
    assert_eq!(picture.matches("<rect class=\"block\"").count(), 43);
    assert_eq!(picture.matches("<text class=\"block-name\"").count(), 42);
    assert!(picture.contains(">workload.service-17</text>"));
    let attribute = |name: &str| {
        let (_, rest) = picture.split_once(&format!(" {name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse::<f64>().unwrap()
    };
    let scale = f64::min(1280.0 / attribute("width"), 720.0 / attribute("height"));
    assert!(scale > 0.15, "{scale}");
}

#[test]
fn an_empty_graph_has_the_environment() {
    let graph = graph(Vec::new());
    let view = GraphView::new(&graph, "shop", "development");
    assert_eq!(ascii::render(&view), "base\n");
    assert_eq!(svg::render(&view).matches("<g id=").count(), 1);
}

#[test]
fn no_virtual_node_passes_for_a_resource() {
    let graph = graph(vec![node(0, "workload.default#modules.default#x", &[]), node(1, "workload.default#x", &[])]);
    let view = GraphView::new(&graph, "shop", "development");
    let keys: Vec<&str> = view.vertices.iter().map(|vertex| vertex.key.as_str()).collect();
    assert_eq!(keys, ["base", "workload.default#modules.default#x", "workload.default#x"]);
    assert!(view.edges.is_empty());
}

#[test]
fn a_long_id_stays_in_its_box() {
    let id = format!("modules.{}.externals.{}", "w".repeat(100), "界".repeat(40));
    let graph = graph(vec![node(0, &format!("s3.default#{id}"), &[])]);
    let picture = svg::render(&GraphView::new(&graph, "shop", "development"));
    assert!(picture.contains(&format!("<title>s3.default#{id}&#10;")), "the tooltip has all of it");
    let shown: Vec<&str> =
        picture.split("class=\"name\"").skip(1).map(|part| part.split(['>', '<']).nth(1).unwrap()).collect();
    assert_eq!(shown, ["base", "modules.www…ww.externals.", "界界界界界界界…界界界界界界界"]);
}

#[test]
fn the_panel_tells_all_but_secrets() {
    let mut graph = story();
    graph.nodes[1].driver_account = Some("gcp-account".to_owned());
    graph.nodes[1].resource = json!({"size": 3}).as_object().unwrap().clone();
    graph.nodes[1].driver = serde_json::from_value(json!({
        "values": {"host": "db.${context.env.id}", "port": 5432},
        "secret_refs": {
            "password": {"store": "vault", "ref": "teams/db", "version": "3"},
            "nested": {"key": {"store": "vault", "ref": "key", "version": 7}, "value": {"ref": "plain"}},
            "list": [{"store": "vault", "ref": "one"}],
            "placeholder": {"value": "${resources['agent#agent'].outputs.url}"},
            "literal": {"value": "canary-1"},
            "mixed": {"value": "canary-2${context.env.id}"},
            "bare": "canary-3",
            "value": {"value": {"inner": "canary-4"}},
        },
    }))
    .unwrap();
    let why = BTreeMap::from([(graph.nodes[1].guresid.clone(), "web asks for it".to_owned())]);
    let page = html::render(&GraphView::new(&graph, "shop", "development"), &why);
    assert!(!page.contains("canary"));
    let panel = panel(&page);
    insta::assert_snapshot!(serde_json::to_string_pretty(&panel[3]).unwrap(), @r#"
    {
      "depends_on": [
        2
      ],
      "explanation": "web asks for it",
      "facts": [
        [
          "Type",
          "postgres"
        ],
        [
          "Class",
          "default"
        ],
        [
          "Id",
          "modules.web.externals.db"
        ],
        [
          "GUResID",
          "0000000000000000000000000000000000000001"
        ],
        [
          "Definition",
          "postgres-def"
        ],
        [
          "Definition version",
          "0193-v1"
        ],
        [
          "Matching Criteria",
          "c1"
        ],
        [
          "Driver",
          "humanitec/echo"
        ],
        [
          "Driver account",
          "gcp-account"
        ]
      ],
      "inputs": [
        [
          "Driver inputs",
          "host: db.${context.env.id}\nport: 5432"
        ],
        [
          "Resource inputs",
          "size: 3"
        ]
      ],
      "key": "postgres.default#modules.web.externals.db",
      "name": "modules.web.externals.db",
      "needed_by": [
        4
      ],
      "secrets": [
        [
          "bare",
          "••••••"
        ],
        [
          "list[0]",
          "vault/one"
        ],
        [
          "literal",
          "••••••"
        ],
        [
          "mixed",
          "••••••"
        ],
        [
          "nested.key",
          "vault/key@7"
        ],
        [
          "nested.value",
          "plain"
        ],
        [
          "password",
          "vault/teams/db@3"
        ],
        [
          "placeholder",
          "${resources['agent#agent'].outputs.url}"
        ],
        [
          "value.value.inner",
          "••••••"
        ]
      ]
    }
    "#);
    assert_eq!(panel[0]["key"], "base");
    assert_eq!(panel[4]["explanation"], Value::Null);
}

#[test]
fn the_page_may_ask_nobody() {
    let page = page(&story());
    let (_, policy) = page.split_once("http-equiv=\"Content-Security-Policy\" content=\"").unwrap();
    let policy = policy.split('"').next().unwrap();
    let hash = |open: &str| {
        let inner = page.split_once(open).unwrap().1.split("</s").next().unwrap();
        let digest = humctl_core::hash::sha256(inner.as_bytes());
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest)
    };
    let (style, script) = (hash("<style>"), hash("<script>"));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
        )
    );
    for address in ["http:", "https:", "src=", "href=", "@import", "fetch(", "XMLHttpRequest", "innerHTML"] {
        let page = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!page.contains(address), "{address}");
    }
}

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
        if attribute("class") == Some("edge") {
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

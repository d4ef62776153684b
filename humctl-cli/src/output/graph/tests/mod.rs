//! The formats of a Resource Graph: what they say of a small graph and of a
//! large one. What no graph may do to them is in [`hostile`].

mod hostile;

use std::collections::BTreeMap;

use humctl_api_types::resource::{GraphNode, ResourceGraph};
use humctl_api_types::time::Timestamp;
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

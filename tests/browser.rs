//! The page of a Resource Graph in a real browser, from disk.

use std::io::ErrorKind;
use std::net::TcpListener;

use serde_json::json;

use crate::harness::{Browser, Page, TestEnv};

/// Deploys a Workload with a database and returns the address of the page.
fn deploy(env: &TestEnv) -> String {
    let remote = env.remote("gitops");
    env.shop(&remote, "main");
    env.write(
        "postgres.yaml",
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: pg-cloud}
entity:
  name: pg-cloud
  type: postgres
  driver_type: humanitec/template
  driver_account: gcp-account
  driver_inputs:
    values:
      templates: {outputs: \"host: db.internal\"}
      note: \"</script><script>window.isBroken = true</script><img src='http://example.invalid/x.png'>\"
    secret_refs:
      password: {store: vault, ref: teams/db, version: \"3\"}
  criteria: [{}]
",
    );
    env.run("apply -f postgres.yaml").ok();
    env.score("web", "resources:\n  db: {type: postgres}\n").deploy().ok();
    address(env)
}

fn address(env: &TestEnv) -> String {
    let shown = env.run("resources graph deploy . --app shop --env development").ok().stdout;
    assert_eq!(shown.lines().count(), 1, "{shown}");
    shown.trim_end().replace("[TMP]", env.path("").to_str().unwrap().trim_end_matches('/'))
}

fn node(page: &Page<'_>, key: &str) -> String {
    let nodes = page.value("JSON.parse(document.querySelector('#nodes').textContent).map((node) => node.key)");
    let position = nodes.as_array().unwrap().iter().position(|node| node == key);
    format!("#node-{}", position.unwrap_or_else(|| panic!("{key}: {nodes}")))
}

fn is_panel_open(page: &Page<'_>) -> bool {
    page.value("!document.querySelector('#panel').hidden") == true
}

fn scale(page: &Page<'_>) -> i32 {
    page.text("#scale").trim_end_matches('%').parse().unwrap()
}

#[test]
fn the_page_of_a_graph_works_from_disk_and_asks_nobody() {
    let env = TestEnv::new();
    let url = deploy(&env);
    env.deploy().ok();
    assert_eq!(address(&env), url, "nothing changed, so the address is the same");

    let browser = Browser::start();
    let page = browser.open(&url);
    let db = node(&page, "postgres.default#modules.web.externals.db");
    let workload = node(&page, "workload.default#modules.web");

    // A click opens the panel, Escape closes it and the focus is back on the node.
    page.click(&db);
    page.wait_for("document.activeElement.id === 'panel-title'");
    let panel = page.text("#panel");
    for text in
        ["pg-cloud", "humanitec/template", "gcp-account", "vault/teams/db@3", "window.isBroken", "GUResID", "made from"]
    {
        assert!(panel.contains(text), "{text}: {panel}");
    }
    assert_eq!(page.value("window.isBroken === undefined && document.images.length === 0"), true);
    page.press("Escape");
    assert!(!is_panel_open(&page));
    assert_eq!(page.value(&format!("document.activeElement.matches('{db}')")), true);

    // The keyboard does the same, and the panel leads on to what needs the node.
    page.press("Enter");
    assert_eq!(page.text("#panel h2"), "modules.web.externals.db");
    page.click("#panel li button");
    assert_eq!(page.text("#panel h2"), "modules.web");
    assert_eq!(page.value(&format!("document.querySelector('{workload}').getAttribute('aria-pressed')")), "true");
    page.click("#panel .close");
    assert!(!is_panel_open(&page));

    // A search marks what it finds, and Enter brings it to the middle.
    page.press("/");
    page.type_text("PG-cloud");
    assert_eq!(page.text("#found"), "1 found");
    assert_eq!(page.value("[...document.querySelectorAll('.match')].map((node) => node.id)"), json!([&db[1..]]));
    let opacity = page.value(&format!("Number(getComputedStyle(document.querySelector('{workload}')).opacity)"));
    assert!(opacity.as_f64().unwrap() < 0.5, "the rest is dimmed: {opacity}");
    page.press("Enter");
    assert_eq!(page.text("#found"), "1 of 1");
    let (middle, found) = (page.place("#stage"), page.place(&format!("{db} rect")));
    assert!((middle.0 - found.0).abs() < 1.0 && (middle.1 - found.1).abs() < 1.0, "{middle:?} {found:?}");
    // Keys of the page are text while one types.
    page.press("+");
    assert_eq!(page.value("document.querySelector('#query').value"), "PG-cloud+");
    page.press("Escape");
    assert_eq!(page.value("document.querySelectorAll('.match').length"), 0);

    // Zoom by key, button and wheel; the wheel keeps the place under the pointer.
    page.click(&workload);
    page.press("Escape");
    let before = scale(&page);
    page.press("+");
    assert!(scale(&page) > before);
    page.click("#zoom-out");
    page.press("-");
    assert!(scale(&page) < before);
    let under = page.place(&format!("{db} rect"));
    let before = scale(&page);
    page.wheel(under, -300.0);
    page.wait_for(&format!("document.querySelector('#scale').textContent !== '{before}%'"));
    let after = page.place(&format!("{db} rect"));
    assert!((under.0 - after.0).abs() < 1.0 && (under.1 - after.1).abs() < 1.0, "{under:?} {after:?}");

    // A drag moves the graph and selects nothing; 0 shows all of it again.
    page.drag(after, (after.0 + 50.0, after.1 - 30.0));
    let moved = page.place(&format!("{db} rect"));
    assert!((moved.0 - after.0 - 50.0).abs() < 1.0 && (moved.1 - after.1 + 30.0).abs() < 1.0, "{moved:?}");
    assert!(!is_panel_open(&page));
    page.press("0");
    assert_eq!(
        page.value(
            "[...document.querySelectorAll('.node')].every((node) => {
               const [box, stage] = [node, document.querySelector('#stage')].map((e) => e.getBoundingClientRect());
               return box.left >= stage.left && box.right <= stage.right && box.top >= stage.top && box.bottom <= stage.bottom;
             })"
        ),
        true
    );

    let paper = "getComputedStyle(document.body).backgroundColor";
    let light = page.value(paper);
    page.prefer_dark();
    assert_ne!(page.value(paper), light);

    assert_eq!(page.complaints(), Vec::<serde_json::Value>::new());
    assert_eq!(page.requests(), [url.as_str()]);

    // Last, what the page must not be able to do.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let target = format!("http://{}/", listener.local_addr().unwrap());
    assert_eq!(page.value(&format!("fetch('{target}').then(() => 'sent', () => 'refused')")), "refused");
    assert_eq!(
        page.value(&format!(
            "new Promise((done) => {{
               const image = document.body.appendChild(new Image());
               image.onload = () => done('loaded');
               image.onerror = () => done('refused');
               image.src = '{target}';
             }})"
        )),
        "refused"
    );
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn every_format_is_printed_and_two_at_once_are_refused() {
    let env = TestEnv::new();
    deploy(&env);
    let run = |flags: &str| env.run(&format!("resources graph --app shop --env development {flags}"));
    for (format, start) in [
        ("dot", "digraph {\n"),
        ("mermaid", "---\ntitle: \"Resource Graph, app: shop, env: development\"\n---\nflowchart TB\n"),
        ("svg", "<svg xmlns="),
        ("html", "<!doctype html>\n"),
        ("ascii", "workload.web\n|-- base\n"),
    ] {
        let shown = run(&format!("--format {format}")).ok().stdout;
        assert!(shown.starts_with(start), "{format}: {shown}");
        assert_eq!(
            env.run(&format!("resources graph deploy . --app shop --env development --format {format}")).ok().stdout,
            shown
        );
    }
    assert_eq!(run("").ok().stdout, run("--format dot").ok().stdout);
    assert_eq!(run("-o json").ok().json()["nodes"].as_array().unwrap().len(), 3);
    insta::assert_snapshot!(run("--format svg -o json").fails().stderr, @"
    Error: --format draws the graph, and --output json or yaml prints it as data
      hint: leave out one of them
      hint: -o table undoes HUMANITEC_OUTPUT and the configuration
    ");
    insta::assert_snapshot!(run("--format png").fails().stderr, @"
    Error: invalid value 'png' for '--format <FORMAT>' [possible values: dot, mermaid, svg, html, ascii]
      hint: see: humctl --help
    ");
}

#[test]
fn without_a_home_the_page_needs_another_place() {
    let env = TestEnv::new();
    deploy(&env);
    let state = env.home().join(".local/share/humctl/state.db");
    let words = format!("resources graph deploy . --app shop --env development --api-prefix local:{}", state.display());
    let output = env.command(&words).env_remove("HOME").output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("there is no home directory") && stderr.contains("hint: set HOME"), "{stderr}");

    let cache = env.path("my cache");
    let output = env.command(&words).env_remove("HOME").env("XDG_CACHE_HOME", &cache).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let url = String::from_utf8(output.stdout).unwrap();
    let start = format!("file://{}/humctl/graphs/local-shop-development-", cache.display()).replace(' ', "%20");
    assert!(url.starts_with(&start) && url.ends_with(".html\n"), "{url}");
    let page = url.trim_end().strip_prefix("file://").unwrap().replace("%20", " ");
    let written = std::fs::metadata(&page).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&written.permissions()) & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(cache.join("humctl/graphs")).unwrap().count(), 1, "no draft is left");
}

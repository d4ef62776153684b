//! The planner, in this process and through the program.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use humctl_core::builtin;
use humctl_core::context::EnvironmentContext;
use humctl_core::graph::build::GraphInput;
use humctl_core::graph::{ResourceTypes, SetIndex};
use humctl_core::matching::Definitions;
use humctl_core::plan::{DeployContext, plan, plan_target};
use serde_json::{Value, json};

use super::{Bench, best, milliseconds, row};

const N_DEFINITIONS: usize = 2_000;
const N_APPS: usize = 100;
const ENVS: [&str; 4] = ["development", "test", "staging", "live"];

pub(super) fn run(bench: &Bench) -> Result<()> {
    let small = planner(1_000)?;
    let large = planner(10_000)?;
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    row("time of 10,000 resources ÷ time of 1,000", &format!("{ratio:.1}"), "≤ 12");
    what_if(bench)?;
    graph_page(bench)
}

/// Rendering 4,000 custom resources: of 3,800 resources, and of 100 Workloads,
/// their own resources and the Environment.
pub(super) fn render() -> Result<()> {
    planner(3_800).map(drop)
}

/// `resources diff` over every Environment of a large Organization.
fn what_if(bench: &Bench) -> Result<()> {
    let home = "home-plan";
    bench.git(&["init", "--quiet", "--bare", "plan.git"])?;
    bench.git(&["-C", "plan.git", "symbolic-ref", "HEAD", "refs/heads/main"])?;
    bench.define(home, "plan.git")?;
    fs::create_dir(bench.path("defs"))?;
    // Rules that name something else, as most rules of a large Organization do, over forty types.
    for number in 0..N_DEFINITIONS {
        let rules: Vec<Value> = (0..4).map(|rule| json!({"app_id": format!("other-{number}-{rule}")})).collect();
        let id = format!("def-{number}");
        let definition = json!({
            "apiVersion": "entity.humanitec.io/v1b1", "kind": "Definition", "metadata": {"id": id},
            "entity": {"name": id, "type": format!("kind{}", number % 40), "driver_type": "humanitec/terraform", "criteria": rules}});
        fs::write(bench.path(&format!("defs/{id}.json")), definition.to_string())?;
    }
    bench.humctl(home, "apply -f defs")?;
    bench.score(0)?;
    for number in 0..N_APPS {
        let app = format!("app-{number}");
        bench.humctl(home, &format!("create app {app}"))?;
        for env in ENVS {
            if env != "development" {
                bench.humctl(home, &format!("create env {env} --app {app}"))?;
            }
            bench.humctl(home, &format!("score deploy --app {app} --env {env}"))?;
        }
    }
    let mut changed = super::seed::postgres();
    changed["entity"]["driver_inputs"]["values"]["host"] = json!("elsewhere");
    fs::write(bench.path("changed.json"), changed.to_string())?;
    let words = ["resources", "diff", "-f", "changed.json"];
    let mut told = String::new();
    let took = best(5, || {
        let output = bench.command(&bench.humctl, home, &words).output()?;
        ensure!(output.status.code() == Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        told = String::from_utf8_lossy(&output.stdout).trim_end().lines().last().unwrap_or_default().to_owned();
        Ok(())
    })?;
    ensure!(told.starts_with("400 of "), "{told}");
    row(
        &format!("what-if over {N_APPS} apps × {} envs, {N_DEFINITIONS} × 4 rules", ENVS.len()),
        &format!("{:.0} ms", milliseconds(took)),
        "< 2 s",
    );
    Ok(())
}

/// The picture of a graph as a page, process included.
fn graph_page(bench: &Bench) -> Result<()> {
    const N_RESOURCES: usize = 300;
    bench.repository("graph.git", 100)?;
    bench.define("home-graph", "graph.git")?;
    bench.score_of(N_RESOURCES, 0)?;
    bench.humctl("home-graph", "score deploy --app shop --env development")?;
    let words = "resources graph --app shop --env development --format html";
    let took = best(5, || bench.humctl("home-graph", words).map(drop))?;
    row(
        &format!("page of a Resource Graph with {N_RESOURCES} resources"),
        &format!("{:.0} ms", milliseconds(took)),
        "-",
    );
    Ok(())
}

/// Plans and renders a set with many resources against many Definitions.
fn planner(n_resources: usize) -> Result<Duration> {
    let context = EnvironmentContext {
        org: "acme-org".parse()?,
        app: "shop".parse()?,
        env: "development".parse()?,
        env_type: "development".parse()?,
    };
    let mut definitions = builtin::definitions(&context.org, &humctl_api_types::time::Timestamp::default());
    let definition = |id: String, res_type: &str, driver: &str, values: Value, criteria: Value| {
        serde_json::from_value(json!({
            "org_id": "acme-org", "id": id, "name": id, "type": res_type, "driver_type": driver,
            "active_version_id": "", "created_at": "", "created_by": "",
            "driver_inputs": {"values": values}, "criteria": criteria}))
    };
    definitions.push(definition(
        "git-target".to_owned(),
        "k8s-cluster",
        "humanitec/k8s-cluster-git",
        json!({"url": "file:///r"}),
        json!([{"id": "x"}]),
    )?);
    for number in 0..N_DEFINITIONS {
        let rules: Vec<Value> =
            (0..4).map(|rule| json!({"id": "x", "app_id": format!("app-{number}-{rule}")})).collect();
        definitions.push(definition(format!("def-{number}"), "postgres", "humanitec/echo", json!({}), json!(rules))?);
    }
    definitions.push(definition(
        "the-one".to_owned(),
        "postgres",
        "humanitec/echo",
        json!({"host": "db", "name": "${context.res.id}"}),
        json!([{"id": "x"}]),
    )?);
    let externals: serde_json::Map<String, Value> =
        (0..n_resources / 100).map(|number| (format!("db-{number}"), json!({"type": "postgres"}))).collect();
    let module = json!({"profile": "humanitec/default-module", "externals": externals,
        "spec": {"containers": {"main": {"image": "x", "variables": {"DB": "${externals.db-0.host}"}}}}});
    let modules: serde_json::Map<String, Value> =
        (0..100).map(|number| (format!("workload-{number}"), module.clone())).collect();
    let set = serde_json::from_value(json!({ "modules": modules }))?;
    let types = builtin::resource_types();
    let types = ResourceTypes::new(&types);
    let index = SetIndex::new(&set).map_err(|errors| anyhow::anyhow!(errors.join(", ")))?;
    let deploy = DeployContext { deployment: "1a".parse()?, set: "0".parse()? };
    let fail = |errors: Vec<humctl_core::graph::PlanError>| anyhow::anyhow!("{}", errors[0]);
    let (mut n_files, mut rendering) = (0, Duration::MAX);
    let planning = best(5, || {
        let definitions = Definitions::new(&definitions);
        let input = GraphInput::new(&context, &definitions, &types);
        let target = plan_target(input).into_result().map_err(fail)?;
        plan(input, &index, &target, &deploy).into_result().map_err(fail).map(drop)
    })?;
    let definitions = Definitions::new(&definitions);
    let input = GraphInput::new(&context, &definitions, &types);
    let target = plan_target(input).into_result().map_err(fail)?;
    let planned = plan(input, &index, &target, &deploy).into_result().map_err(fail)?;
    for _ in 0..3 {
        let started = Instant::now();
        n_files = humctl_core::render::render(input, &planned, &index, &target, &deploy)
            .into_result()
            .map_err(fail)?
            .files()
            .result
            .len();
        rendering = rendering.min(started.elapsed());
    }
    row(
        &format!("plan of {n_resources} resources against {N_DEFINITIONS} × 4 rules"),
        &format!("{:.0} ms", milliseconds(planning)),
        if n_resources == 10_000 { "< 300 ms" } else { "-" },
    );
    row(
        &format!("render of {n_files} custom resources"),
        &format!("{:.0} ms", milliseconds(rendering)),
        "4,000 in < 1 s",
    );
    Ok(planning)
}

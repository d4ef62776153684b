//! `humctl gitops manifests`: objects for the real targets of an Application.
//! The examples have them in full; here is what they come from.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::harness::{FakeApi, Server, TestEnv, git_cluster, hosted};

const PATH: &str = "path: \"${context.app.id}/${context.env.id}\"";

/// An Application `shop` with two Environments, whose cluster has these values.
fn shop(url: &str, path: &str, rest: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write("cluster.yaml", &git_cluster(url, path, rest));
    env.run("apply -f cluster.yaml").ok();
    env.run("create app shop").ok();
    env.run("create env production --type production --app shop").ok();
    env
}

/// Kind, name and a value of each object that has it, one a line.
fn values(objects: &Value, pointer: &str) -> String {
    let line = |object: &Value| {
        let value = object.pointer(pointer)?;
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        Some(format!("{} {}: {value}\n", object["kind"].as_str()?, object["metadata"]["name"].as_str()?))
    };
    objects.as_array().unwrap().iter().filter_map(line).collect()
}

#[test]
fn definitions_tell_the_targets_until_a_deployment_does() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    // Without a branch, its name is known once something is there.
    env.write("cluster.yaml", &git_cluster(&remote.url(), PATH, ""));
    env.run("apply -f cluster.yaml").ok();
    env.run("create app shop").ok();
    let argocd = "gitops manifests argocd --app shop --repository git@git.example.com:r.git -o json";
    let flux = "gitops manifests flux --app shop --repository git@git.example.com:r.git -o json";
    let objects = env.run(argocd).ok().json();
    assert_eq!(values(&objects, "/spec/source/targetRevision"), "Application shop-development: HEAD\n");
    insta::assert_snapshot!(env.run(flux).fails().stderr, @"
    Error: environment `development`: the cluster's Definition names no branch, and nothing was deployed yet, so its name is not known
      hint: deploy once, give the Definition a `branch`, or pass --revision BRANCH
    ");
    remote.head("trunk");
    env.score("web", "").deploy().ok();
    let objects = env.run(argocd).ok().json();
    assert_eq!(values(&objects, "/spec/source/targetRevision"), "Application shop-development: refs/heads/trunk\n");
    let objects = env.run(flux).ok().json();
    assert_eq!(values(&objects, "/spec/ref/branch"), "GitRepository shop: trunk\n");
    // What a Definition says afterwards counts from the next Deployment on.
    env.write("cluster.yaml", &git_cluster(&remote.url(), "path: elsewhere", "      branch: other\n"));
    env.run("apply -f cluster.yaml").ok();
    let objects = env.run(argocd).ok().json();
    assert_eq!(values(&objects, "/spec/source/path"), "Application shop-development: shop/development\n");
    env.deploy().ok();
    let objects = env.run(argocd).ok().json();
    assert_eq!(values(&objects, "/spec/source/path"), "Application shop-development: elsewhere\n");
}

#[test]
fn an_environment_can_be_chosen_by_flag_only() {
    let mut env = shop("https://git.example.com/r.git", PATH, "      branch: main\n");
    env.set("HUMANITEC_APP", "shop").set("HUMANITEC_ENV", "production");
    let objects = env.run("gitops manifests argocd -o json").ok().json();
    let both = "Application shop-development: refs/heads/main\nApplication shop-production: refs/heads/main\n";
    assert_eq!(values(&objects, "/spec/source/targetRevision"), both);
    let objects = env.run("gitops manifests argocd --env production -o json").ok().json();
    assert_eq!(values(&objects, "/spec/source/path"), "Application shop-production: shop/production\n");
    // One that cannot be planned keeps nobody else from being printed.
    env.run("delete resource-definition git-target --force").ok();
    let narrow = git_cluster("https://git.example.com/r.git", PATH, "      branch: main\n");
    env.write("cluster.yaml", &narrow.replace("criteria: [{}]", "criteria: [{env_type: production}]"));
    env.run("apply -f cluster.yaml").ok();
    env.run("gitops manifests flux --env production").ok();
    insta::assert_snapshot!(env.run("gitops manifests flux").fails().stderr, @"
    Error: HTTP-400: environment `shop/development` has no deployment target: no Resource Definition matches `k8s-cluster.default#k8s-cluster`
      context: org `local`, app_id `shop`, env_id `development`, env_type `development`
      closest: `git-target` asks for env_type `production`, here it is `development`
      hint: add Matching Criteria to a Definition of type `k8s-cluster`, for instance {app_id: shop, env_type: development}
    ");
}

#[test]
fn namespaces_are_those_of_the_graph_or_by_a_pattern() {
    let env = shop("https://git.example.com/r.git", PATH, "      branch: main\n");
    let flux = "gitops manifests flux --app shop -o json";
    let namespaces = |flags: &str| values(&env.run(&format!("{flux} {flags}")).ok().json(), "/spec/targetNamespace");
    let by_default =
        "Kustomization shop-development: shop-development\nKustomization shop-production: shop-production\n";
    assert_eq!(namespaces(""), by_default);
    let definition = |namespace: &str| {
        let text = format!(
            "apiVersion: entity.humanitec.io/v1b1\nkind: Definition\nmetadata: {{id: ns-def}}\nentity: {{name: ns-def, type: \
             k8s-namespace, driver_type: humanitec/echo, driver_inputs: {{values: {{namespace: \"{namespace}\"}}}}, \
             criteria: [{{}}]}}\n"
        );
        env.write("ns.yaml", &text).run("apply -f ns.yaml").ok();
    };
    definition("team-${context.env.id}");
    assert_eq!(
        namespaces(""),
        "Kustomization shop-development: team-development\nKustomization shop-production: team-production\n"
    );
    assert_eq!(
        namespaces("--target-namespace {env}-{app}"),
        "Kustomization shop-development: development-shop\nKustomization shop-production: production-shop\n"
    );
    definition("team");
    insta::assert_snapshot!(env.run("gitops manifests flux --app shop").fails().stderr, @"
    Error: environments `development` and `production` would both go into namespace `team`, where their objects would replace each other
      hint: give each one its own, with --target-namespace or a Definition for k8s-namespace
    ");
}

#[test]
fn no_credential_of_a_definition_is_printed() {
    let rest =
        "      branch: main\n      username: canary-user\n    secrets: {credentials: {password: canary-token}}\n";
    let env = shop("https://canary-name@git.example.com/r.git", PATH, rest);
    for format in ["", "-o json"] {
        for tool in ["argocd", "argocd --application-set", "flux"] {
            let told = env.run(&format!("gitops manifests {tool} --app shop {format}")).ok().stdout;
            assert!(!told.contains("canary"), "{tool}: {told}");
        }
    }
}

#[test]
fn what_cannot_work_is_refused_in_words() {
    let local = shop("file:///srv/r.git", PATH, "      branch: main\n");
    insta::assert_snapshot!(local.run("gitops manifests argocd --app shop").fails().stderr, @"
    Error: environment `development`: no cluster can reach `file:///srv/r.git`
      hint: name the address that the cluster has for it: --repository URL
    environment `production`: no cluster can reach `file:///srv/r.git`
      hint: name the address that the cluster has for it: --repository URL
    ");
    let env = shop("https://git.example.com/r.git", PATH, "      branch: main\n");
    for (flags, expected) in [
        ("argocd --app nope", "application `nope` does not exist"),
        ("argocd --app shop --env nope", "environment `nope` does not exist"),
        ("argocd --app shop --prune some", "invalid value 'some'"),
        ("argocd --app shop --prune all", "hint: use --prune workloads"),
        ("argocd --app shop --env production --application-set", "an ApplicationSet is for every Environment"),
        ("argocd --app shop --repository ext::sh", "transport helpers"),
        ("flux --app shop -o markdown", "no Markdown output"),
    ] {
        let refused = env.run(&format!("gitops manifests {flags}")).fails().stderr;
        assert!(refused.contains(expected), "{flags}: {refused}");
    }
    let objects = shop("https://git.example.com/r.git", PATH, "      branch: main\n      output: manifests\n");
    insta::assert_snapshot!(objects.run("gitops manifests flux --app shop --env production").fails().stderr, @"
    Error: environment `production`: its directory holds Kubernetes objects (`output: manifests`), and these manifests are for custom resources
      hint: let a Kustomization of Flux, or an Application of Argo CD with `directory: {}`, read the directory as it is
    ");
    env.run("create app empty --skip-environment-creation").ok();
    let refused = env.run("gitops manifests flux --app empty").fails().stderr;
    assert!(refused.contains("application `empty` has no environments"), "{refused}");
    // A name that is put together in two ways.
    env.run("create app shop-web").ok();
    env.run("create env web-development --type development --app shop").ok();
    insta::assert_snapshot!(env.run("gitops manifests flux --app shop").fails().stderr, @"
    Error: environments `shop/web-development` and `shop-web/development` would both be called `shop-web-development`
      hint: write the objects of one of them by hand, under another name
    ");
}

#[test]
fn a_served_orchestrator_tells_them_and_a_hosted_one_does_not() {
    let mut env = shop("https://git.example.com/r.git", PATH, "      branch: main\n");
    let local = env.run("gitops manifests argocd --app shop").ok().stdout;
    let server = Server::start(&env, "--no-auth");
    env.set("HUMANITEC_API_PREFIX", &server.address).set("HUMANITEC_ORG", "local");
    assert_eq!(env.run("gitops manifests argocd --app shop").ok().stdout, local);
    assert!(server.end().0);
    let app = "{\"id\": \"shop\", \"name\": \"shop\", \"org_id\": \"my-org\", \"created_at\": \"\", \"created_by\": \"\", \"status\": \"active\", \
               \"status_changed_at\": \"\", \
               \"envs\": [{\"id\": \"dev\", \"name\": \"dev\", \"type\": \"development\"}]}";
    let api = FakeApi::routes([("GET /orgs/my-org/apps/shop", vec![(200, app)])]);
    let refused = hosted(&api).run("gitops manifests argocd --app shop").fails().stderr;
    insta::assert_snapshot!(refused.replace(&api.host(), "[HOST]"), @"
    Error: gitops manifests needs the embedded Orchestrator: the one at [HOST] tells no Git targets
      hint: run it where you deploy without a server: --api-prefix local, or the address of a humctl serve
    ");
}

/// What Flux fetches by a list of patterns, as Git itself reads it.
#[test]
fn flux_fetches_our_files_and_no_others() {
    let env = shop("https://git.example.com/r.git", PATH, "      branch: main\n");
    let objects = env.run("gitops manifests flux --app shop -o json").ok().json();
    let patterns = objects[0]["spec"]["ignore"].as_str().unwrap();
    let ours = [
        "shop/development/resource-0a.yaml",
        "shop/development/workload-web.yaml",
        "shop/production/secretmapping-shared-secrets.yaml",
    ];
    let others = [
        "README.md",
        "kustomization.yaml",
        "workload-root.yaml",
        ".humctl/shop/development.record",
        "billing/development/workload-web.yaml",
        "shop/workload-web.yaml",
        "shop/staging/workload-web.yaml",
        "shop/development/values.yaml",
        "shop/development/kustomization.yaml",
        "shop/development/below/workload-web.yaml",
    ];
    for file in ours.iter().chain(&others) {
        env.write(&format!("tree/{file}"), "x");
    }
    fs::write(env.path("patterns"), patterns).unwrap();
    let tree = env.path("tree");
    assert!(Command::new("git").args(["init", "--quiet"]).current_dir(&tree).status().unwrap().success());
    let listed = Command::new("git")
        .args(["ls-files", "--others", "--exclude-from"])
        .arg(env.path("patterns"))
        .current_dir(&tree)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.lines().collect::<BTreeSet<_>>(), ours.into_iter().collect());
}

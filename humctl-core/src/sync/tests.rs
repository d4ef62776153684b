//! Layouts as they are, and as they may not be.

use humctl_api_types::deployment::SyncTarget;
use humctl_api_types::id::{AppId, EnvId};
use serde_json::{Value, json};

use super::*;

const URL: &str = "https://git.example.com/acme/shop.git";

/// Environments as `env branch path`; `-` is no branch, `.` the root.
fn targets(url: &str, rows: &[&str]) -> Vec<SyncTarget> {
    let target = |row: &&str| {
        let [env, branch, path] = row.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        SyncTarget {
            env: EnvId::new(env).unwrap(),
            url: url.replace("{env}", env),
            branch: (branch != "-").then(|| branch.to_owned()),
            path: path.strip_prefix('.').unwrap_or(path).to_owned(),
            output: None,
            namespace: None,
        }
    };
    rows.iter().map(target).collect()
}

fn layout_of(url: &str, rows: &[&str], options: &LayoutOptions<'_>) -> Result<Layout, Vec<SyncError>> {
    let known =
        [("shop-web", "dev"), ("other", "dev")].map(|(app, env)| (AppId::new(app).unwrap(), EnvId::new(env).unwrap()));
    Layout::new(&AppId::new("shop").unwrap(), &targets(url, rows), &known, options)
}

fn layout(rows: &[&str]) -> Layout {
    layout_of(URL, rows, &LayoutOptions::default()).unwrap()
}

const ARGOCD: SyncOptions<'_> = SyncOptions { namespace: "argocd", prune: Prune::Workloads };
const FLUX: SyncOptions<'_> = SyncOptions { namespace: "flux-system", prune: Prune::Workloads };

fn of_kind<'o>(objects: &'o [SyncObject], kind: &str) -> Vec<&'o Value> {
    objects.iter().map(|object| &object.object).filter(|object| object["kind"] == kind).collect()
}

fn names(objects: &[SyncObject]) -> Vec<String> {
    let name = |object: &SyncObject| {
        let object = &object.object;
        format!("{} {}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap())
    };
    objects.iter().map(name).collect()
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    let namespace = |pattern| LayoutOptions { target_namespace: Some(pattern), ..LayoutOptions::default() };
    let revision = LayoutOptions { revision: Some("main"), ..LayoutOptions::default() };
    let repository = LayoutOptions { repository: Some("https://in.example.com/r.git"), ..LayoutOptions::default() };
    let none = LayoutOptions::default();
    let long = "x".repeat(60);
    for (url, rows, options, expected) in [
        ("file:///srv/r.git", &["dev main shop/dev"][..], &none, "no cluster can reach"),
        ("http://127.0.0.1/r.git", &["dev main shop/dev"], &none, "no cluster can reach"),
        ("host:r.git", &["dev main shop/dev"], &none, "names no user"),
        ("https://h/{env}.git", &["aa main .", "bb main ."], &repository, "several repositories"),
        (URL, &["web-dev main x"], &none, "`shop/web-dev` and `shop-web/dev` would both be called `shop-web-dev`"),
        (URL, &["aa main aa", "bb main bb"], &namespace("{app}"), "would both go into namespace `shop`"),
        (URL, &["aa main aa", "bb main bb"], &namespace("${app}"), "it has a placeholder"),
        (URL, &["aa main aa", "bb main bb"], &namespace("{org}-{env}"), "braces around something else"),
        (URL, &["aa main aa"], &namespace("Shop"), "`Shop` is no name for a namespace"),
        (URL, &["aa main aa"], &namespace(&long.repeat(2)), "is no name for a namespace"),
        // Branches that become one, and directories that hold one another.
        (URL, &["aa a .", "bb b ."], &revision, "would both be read from"),
        (URL, &["aa main shop", "bb main shop/bb"], &none, "would both be read from"),
        (URL, &["aa main .", "bb main shop/bb"], &none, "would both be read from"),
    ] {
        let errors = layout_of(url, rows, options).unwrap_err();
        let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(text.contains(expected), "{url} {rows:?}: {text}");
    }
    // Names that only begin alike are none of these.
    assert!(layout_of(URL, &["aa main shop", "bb main shop-bb"], &none).is_ok());
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let errors = layout_of("file:///r", &["aa main aa", "bb main bb", "web-dev main c"], &LayoutOptions::default());
    assert_eq!(errors.unwrap_err().len(), 4);
}

#[test]
fn what_is_known_better_than_the_target_tells_wins() {
    let mut told = targets("file:///r", &["dev - ."]);
    told[0].namespace = Some("team-dev".to_owned());
    let app = AppId::new("shop").unwrap();
    let options =
        LayoutOptions { revision: Some("main"), repository: Some("git@h:r.git"), target_namespace: None, only: None };
    let layout = Layout::new(&app, &told, &[], &options).unwrap();
    let objects = flux::objects(&layout, &FLUX).unwrap();
    assert_eq!(names(&objects), ["GitRepository shop", "Namespace team-dev", "Kustomization shop-dev"]);
    assert_eq!(objects[0].object["spec"]["url"], "ssh://git@h/r.git");
    assert_eq!(objects[0].object["spec"]["ref"], json!({"branch": "main"}));
    let options = LayoutOptions { target_namespace: Some("x-{env}-{app}"), ..options };
    let layout = Layout::new(&app, &told, &[], &options).unwrap();
    assert_eq!(layout.environments[0].namespace, "x-dev-shop");
}

#[test]
fn groups_keep_their_names_when_one_environment_is_wanted() {
    let rows = ["dev main dev", "prod release prod", "staging main staging"];
    let all = ["GitRepository shop.dev", "Namespace shop-dev", "Kustomization shop-dev", "Namespace shop-staging"];
    let objects = flux::objects(&layout(&rows), &FLUX).unwrap();
    assert_eq!(names(&objects)[..4], all);
    let prod = EnvId::new("prod").unwrap();
    let options = LayoutOptions { only: Some(&prod), ..LayoutOptions::default() };
    let layout = layout_of(URL, &rows, &options).unwrap();
    let objects = flux::objects(&layout, &FLUX).unwrap();
    assert_eq!(names(&objects), ["GitRepository shop.prod", "Namespace shop-prod", "Kustomization shop-prod"]);
    // The login is one for the whole repository.
    assert_eq!(objects[0].object["spec"]["secretRef"]["name"], "git-shop");
    let objects = argocd::objects(&layout, &ARGOCD, false).unwrap();
    let expected = ["ConfigMap argocd-cm", "Secret repo-shop", "AppProject shop", "Application shop-prod"];
    assert_eq!(names(&objects), expected);
    // Applied later, it must not take from the others what they may do.
    assert_eq!(of_kind(&objects, "AppProject")[0]["spec"]["destinations"].as_array().unwrap().len(), 3);
}

#[test]
fn what_is_wrong_with_others_keeps_no_environment_from_being_printed() {
    let wanted = EnvId::new("aa").unwrap();
    let options = LayoutOptions { only: Some(&wanted), ..LayoutOptions::default() };
    assert!(layout_of(URL, &["aa main aa", "bb main x", "cc main x/y", "web-dev main z"], &options).is_ok());
    assert!(layout_of(URL, &["aa main aa", "bb main aa/b"], &options).is_err());
    let inner = LayoutOptions { repository: Some("https://inner/r.git"), ..options };
    let layout = layout_of("https://outer/{env}.git", &["aa main .", "bb main ."], &inner).unwrap();
    let addresses: Vec<&str> = layout.environments.iter().map(|one| one.address.argocd()).collect();
    assert_eq!(addresses, ["https://inner/r.git", "https://outer/bb.git"]);
    // One that nobody else can reach is only left out.
    let layout = layout_of("file:///r", &["aa main aa", "bb main bb"], &inner).unwrap();
    assert_eq!(layout.environments.len(), 2);
}

#[test]
fn flux_fetches_our_files_only_and_needs_to_know_the_branch() {
    let objects = flux::objects(&layout(&["aa main team [x]/aa", "bb main team [x]/bb"]), &FLUX);
    let objects = objects.unwrap();
    insta::assert_snapshot!(of_kind(&objects, "GitRepository")[0]["spec"]["ignore"].as_str().unwrap(), @r"
    /*
    !/team\ \[x]
    /team\ \[x]/*
    !/team\ \[x]/aa
    /team\ \[x]/aa/*
    !/team\ \[x]/aa/resource-*.yaml
    !/team\ \[x]/aa/workload-*.yaml
    !/team\ \[x]/aa/secretmapping-*.yaml
    !/team\ \[x]/bb
    /team\ \[x]/bb/*
    !/team\ \[x]/bb/resource-*.yaml
    !/team\ \[x]/bb/workload-*.yaml
    !/team\ \[x]/bb/secretmapping-*.yaml
    ");
    let root = flux::objects(&layout(&["aa main ."]), &FLUX).unwrap();
    insta::assert_snapshot!(of_kind(&root, "GitRepository")[0]["spec"]["ignore"].as_str().unwrap(), @"
    /*
    !/resource-*.yaml
    !/workload-*.yaml
    !/secretmapping-*.yaml
    ");
    let errors = flux::objects(&layout(&["aa - aa", "bb main bb"]), &FLUX).unwrap_err();
    assert_eq!(errors, [SyncError::NoBranch { env: EnvId::new("aa").unwrap() }]);
}

#[test]
fn an_application_set_finds_directories_or_lists_environments() {
    let generator = |rows: &[&str], options: &LayoutOptions<'_>| {
        let layout = layout_of(URL, rows, options).unwrap();
        let objects = argocd::objects(&layout, &ARGOCD, true).unwrap();
        let set = of_kind(&objects, "ApplicationSet")[0].clone();
        set["spec"]["generators"][0].as_object().unwrap().keys().next().unwrap().clone()
    };
    let none = LayoutOptions::default();
    for (rows, expected) in [
        (&["aa main shop/aa", "bb main shop/bb"][..], "git"),
        (&["aa main aa", "bb main bb"], "git"),
        (&["aa - aa"], "git"),
        // A branch each, other names, names that only end alike, a pattern.
        (&["aa a .", "bb b ."], "list"),
        (&["aa main shop/aa", "bb main shop/other"], "list"),
        (&["aa main shop/x-aa"], "list"),
        (&["aa main sh*p/aa"], "list"),
        (&["aa main shop/aa", "bb release shop/bb"], "list"),
    ] {
        assert_eq!(generator(rows, &none), expected, "{rows:?}");
    }
    // Where the names of namespaces follow no pattern, they are listed with the Environments.
    let fixed = LayoutOptions { target_namespace: Some("fixed"), ..none };
    assert_eq!(generator(&["aa main aa"], &fixed), "list");
}

#[test]
fn what_is_pruned_is_as_asked_for() {
    let layout = layout(&["dev main dev"]);
    let with = |prune| SyncOptions { prune, ..FLUX };
    let flux_spec = |prune| {
        let objects = flux::objects(&layout, &with(prune)).unwrap();
        of_kind(&objects, "Kustomization")[0]["spec"].clone()
    };
    let kept = flux_spec(Prune::None);
    assert_eq!((&kept["prune"], kept.get("patches")), (&json!(false), None));
    let workloads = flux_spec(Prune::Workloads);
    assert_eq!((&workloads["prune"], workloads.get("patches")), (&json!(true), None));
    let all = flux_spec(Prune::All);
    assert_eq!(all["prune"], json!(true));
    let removed = "- op: remove\n  path: /metadata/annotations/kustomize.toolkit.fluxcd.io~1prune\n";
    assert_eq!(all["patches"], json!([{"target": {"group": "humctl.dev", "kind": "Resource"}, "patch": removed}]));
    let objects = argocd::objects(&layout, &with(Prune::None), false).unwrap();
    let minimal = json!({"automated": {}, "syncOptions": ["CreateNamespace=true"]});
    assert_eq!(of_kind(&objects, "Application")[0]["spec"]["syncPolicy"], minimal);
    assert_eq!(argocd::objects(&layout, &with(Prune::All), false), Err(vec![SyncError::PruneAll]));
}

#[test]
fn texts_are_read_back_as_they_are_and_hold_no_placeholder() {
    let rows = layout(&["aa main aa", "bb main bb"]);
    for objects in [
        argocd::objects(&rows, &ARGOCD, false).unwrap(),
        argocd::objects(&rows, &ARGOCD, true).unwrap(),
        flux::objects(&rows, &FLUX).unwrap(),
    ] {
        let text = to_yaml(&objects);
        assert_eq!(text, to_yaml(&objects));
        assert!(!text.contains("${"), "{text}");
        let read = crate::yaml::parse_documents(&text).unwrap();
        assert_eq!(read, objects.into_iter().map(|object| object.object).collect::<Vec<_>>());
    }
}

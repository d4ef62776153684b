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
            cluster_path: None,
            namespace: None,
            holds_objects: false,
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

/// How an `ApplicationSet` gets to know the Environments.
fn generator(layout: &Layout) -> String {
    let objects = argocd::objects(layout, &ARGOCD, true).unwrap();
    let generator = &of_kind(&objects, "ApplicationSet")[0]["spec"]["generators"][0];
    generator.as_object().unwrap().keys().next().unwrap().clone()
}

#[test]
fn an_application_set_finds_directories_or_lists_environments() {
    let generator = |rows: &[&str], options: &LayoutOptions<'_>| generator(&layout_of(URL, rows, options).unwrap());
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

#[test]
fn directories_of_kubernetes_objects_are_read_whole_and_need_no_checks_of_ours() {
    let mut targets = targets(URL, &["dev main shop/dev"]);
    targets[0].holds_objects = true;
    let options = LayoutOptions::default();
    let layout = Layout::new(&AppId::new("shop").unwrap(), &targets, &[], &options).unwrap();
    let objects = argocd::objects(&layout, &ARGOCD, false).unwrap();
    assert_eq!(names(&objects), ["Secret repo-shop", "AppProject shop", "Application shop-dev"]);
    assert_eq!(
        of_kind(&objects, "AppProject")[0]["spec"]["namespaceResourceWhitelist"],
        json!([{"group": "*", "kind": "*"}])
    );
    assert_eq!(of_kind(&objects, "Application")[0]["spec"]["source"]["directory"]["include"], "{*-*.yaml}");
    let set = argocd::objects(&layout, &ARGOCD, true).unwrap();
    let source = &of_kind(&set, "ApplicationSet")[0]["spec"]["template"]["spec"]["source"];
    assert_eq!(source["directory"]["include"], "{*-*.yaml}");

    let objects = flux::objects(&layout, &SyncOptions { prune: Prune::All, ..FLUX }).unwrap();
    let ignored = of_kind(&objects, "GitRepository")[0]["spec"]["ignore"].as_str().unwrap();
    assert!(ignored.ends_with("!/shop/dev/*-*.yaml\n") && !ignored.contains("workload"), "{ignored}");
    let kustomization = of_kind(&objects, "Kustomization")[0];
    assert!(kustomization["spec"].get("healthCheckExprs").is_none());
    let target = &kustomization["spec"]["patches"][0]["target"];
    assert_eq!(target["annotationSelector"], "kustomize.toolkit.fluxcd.io/prune=disabled");
}

/// Environments with Kubernetes objects, the first also with some that belong to no namespace.
fn with_cluster_objects(
    rows: &[&str],
    cluster_path: &str,
    options: &LayoutOptions<'_>,
) -> Result<Layout, Vec<SyncError>> {
    let mut targets = targets(URL, rows);
    for target in &mut targets {
        target.holds_objects = true;
    }
    targets[0].cluster_path = Some(cluster_path.to_owned());
    let known = [("shop", "dev-cluster"), ("shop-web", "dev-cluster")];
    let known = known.map(|(app, env)| (AppId::new(app).unwrap(), EnvId::new(env).unwrap()));
    Layout::new(&AppId::new("shop").unwrap(), &targets, &known, options)
}

const BOTH: [&str; 2] = ["env main shop/env", "prod main shop/prod"];

#[test]
fn objects_without_a_namespace_have_an_application_and_a_project_of_their_own() {
    let none = LayoutOptions::default();
    let layout = with_cluster_objects(&BOTH, "cluster/env", &none).unwrap();
    let objects = argocd::objects(&layout, &ARGOCD, false).unwrap();
    assert_eq!(
        names(&objects),
        [
            "Secret repo-shop",
            "AppProject shop",
            "Secret cluster-repo-shop",
            "AppProject shop.cluster",
            "Application shop-env",
            "Application shop-prod",
            "Application shop-env-cluster",
        ]
    );
    insta::assert_snapshot!(to_yaml(&[&objects[2..4], &objects[6..]].concat()), @r#"
    # Fill in a credential of the cluster's own that may only read, and keep it out of Git.
    apiVersion: v1
    kind: Secret
    metadata:
      labels:
        argocd.argoproj.io/secret-type: repository
      name: cluster-repo-shop
      namespace: argocd
    stringData:
      password: <token that may read https://git.example.com/acme/shop.git>
      project: shop.cluster
      type: git
      url: https://git.example.com/acme/shop.git
      username: git
    ---
    # Objects that belong to no namespace, and no others. Whoever may write to their directories may do everything
    # in the cluster: to allow less, list the kinds that the Resource Definitions have.
    apiVersion: argoproj.io/v1alpha1
    kind: AppProject
    metadata:
      name: shop.cluster
      namespace: argocd
    spec:
      clusterResourceWhitelist:
      - group: "*"
        kind: "*"
      destinations:
      - server: https://kubernetes.default.svc
      namespaceResourceBlacklist:
      - group: "*"
        kind: "*"
      sourceRepos:
      - https://git.example.com/acme/shop.git
    ---
    # Objects that belong to no namespace. Argo CD does not let the Environment's own wait for them, but tries again
    # what failed without them.
    # With the last such object its directory leaves Git, and this can bring in nothing any more: print all this again
    # then, and delete what is no longer printed.
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata:
      annotations:
        argocd.argoproj.io/manifest-generate-paths: '.'
      name: shop-env-cluster
      namespace: argocd
    spec:
      destination:
        server: https://kubernetes.default.svc
      project: shop.cluster
      source:
        directory:
          include: "{*-*.yaml}"
        path: cluster/env
        repoURL: https://git.example.com/acme/shop.git
        targetRevision: refs/heads/main
      syncPolicy:
        automated:
          prune: true
          selfHeal: true
        retry:
          backoff:
            duration: 10s
            factor: 2
            maxDuration: 5m
          limit: 10
        syncOptions:
        - ServerSideApply=true
        - PruneLast=true
    "#);
    // Nothing else is allowed more than before.
    assert_eq!(
        of_kind(&objects, "AppProject")[0]["spec"]["clusterResourceWhitelist"],
        json!([{"group": "", "kind": "Namespace"}])
    );
    let kept = argocd::objects(&layout, &SyncOptions { prune: Prune::None, ..ARGOCD }, false).unwrap();
    assert_eq!(of_kind(&kept, "Application")[2]["spec"]["syncPolicy"], json!({"automated": {}}));
    // They stand beside an ApplicationSet, which finds no such directory.
    let set = argocd::objects(&layout, &ARGOCD, true).unwrap();
    assert_eq!(names(&set)[4..], ["ApplicationSet shop", "Application shop-env-cluster"]);
    let generator = |path: &str| generator(&with_cluster_objects(&BOTH, path, &none).unwrap());
    assert_eq!((generator("cluster/env"), generator("shop/cluster")), ("git".to_owned(), "list".to_owned()));
    // Where the Environment is not printed, nothing of this is.
    let prod = EnvId::new("prod").unwrap();
    let layout = with_cluster_objects(&BOTH, "cluster/env", &LayoutOptions { only: Some(&prod), ..none }).unwrap();
    let objects = argocd::objects(&layout, &ARGOCD, false).unwrap();
    assert_eq!(names(&objects), ["Secret repo-shop", "AppProject shop", "Application shop-prod"]);
}

#[test]
fn flux_brings_objects_without_a_namespace_in_first() {
    let layout = with_cluster_objects(&BOTH, "cluster/env", &LayoutOptions::default()).unwrap();
    let objects = flux::objects(&layout, &SyncOptions { prune: Prune::All, ..FLUX }).unwrap();
    assert_eq!(
        names(&objects),
        [
            "GitRepository shop",
            "Namespace shop-env",
            "Kustomization shop-env-cluster",
            "Kustomization shop-env",
            "Namespace shop-prod",
            "Kustomization shop-prod",
        ]
    );
    insta::assert_snapshot!(to_yaml(&objects[2..4]), @"
    # Objects that belong to no namespace. The Environment's own wait for them.
    # With the last such object its directory leaves Git, and this can bring in nothing any more: print all this again
    # then, and delete what is no longer printed.
    # What leaves Git is deleted in the cluster, also what holds data.
    apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata:
      name: shop-env-cluster
      namespace: flux-system
    spec:
      deletionPolicy: Orphan
      interval: 10m
      patches:
      - patch: |
          - op: remove
            path: /metadata/annotations/kustomize.toolkit.fluxcd.io~1prune
        target:
          annotationSelector: kustomize.toolkit.fluxcd.io/prune=disabled
      path: ./cluster/env
      prune: true
      retryInterval: 1m
      sourceRef:
        kind: GitRepository
        name: shop
      timeout: 15m
      wait: true
    ---
    # What leaves Git is deleted in the cluster, also what holds data.
    apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata:
      name: shop-env
      namespace: flux-system
    spec:
      deletionPolicy: Orphan
      dependsOn:
      - name: shop-env-cluster
      interval: 10m
      patches:
      - patch: |
          - op: remove
            path: /metadata/annotations/kustomize.toolkit.fluxcd.io~1prune
        target:
          annotationSelector: kustomize.toolkit.fluxcd.io/prune=disabled
      path: ./shop/env
      prune: true
      retryInterval: 1m
      sourceRef:
        kind: GitRepository
        name: shop
      targetNamespace: shop-env
      timeout: 15m
      wait: true
    ");
    insta::assert_snapshot!(objects[0].object["spec"]["ignore"].as_str().unwrap(), @"
    /*
    !/shop
    /shop/*
    !/shop/env
    /shop/env/*
    !/shop/env/*-*.yaml
    !/shop/prod
    /shop/prod/*
    !/shop/prod/*-*.yaml
    !/cluster
    /cluster/*
    !/cluster/env
    /cluster/env/*
    !/cluster/env/*-*.yaml
    ");
    assert!(objects[5].object["spec"].get("dependsOn").is_none());
}

#[test]
fn objects_without_a_namespace_are_read_once_and_by_one_name() {
    let (none, other) = (LayoutOptions::default(), EnvId::new("dev-cluster").unwrap());
    let only = LayoutOptions { only: Some(&other), ..none };
    let revision = LayoutOptions { revision: Some("main"), ..none };
    for (rows, cluster_path, options, expected) in [
        (&["env main shop/env"][..], "shop/env/cluster", &none, "its directories `shop/env` and `shop/env/cluster`"),
        (
            &["env main shop/env"],
            "",
            &none,
            "its directories `shop/env` and `.` are the same or lie one inside the other",
        ),
        (
            &["env main shop/env", "prod main all/prod"],
            "all",
            &none,
            "would both be read from `https://git.example.com/acme/shop.git main all`",
        ),
        (&["env a shop/env", "prod b all/prod"], "all/prod/x", &revision, "would both be read from"),
        (&["env a shop/env", "prod b all/prod"], "all/prod/x", &none, ""),
        (
            &["dev main x"],
            "all",
            &none,
            "what environment `shop/dev` has for the whole cluster would be called `shop-dev-cluster`, as environment `shop/dev-cluster` is",
        ),
        (&["dev main x", "dev-cluster main y"], "all", &only, "would be called `shop-dev-cluster`"),
        (&["dev-cluster main x"], "all", &none, ""),
        (
            &["web-dev main x"],
            "all",
            &none,
            "what environment `shop/web-dev` has for the whole cluster would be called `shop-web-dev-cluster`, as environment `shop-web/dev-cluster` is",
        ),
    ] {
        let errors = with_cluster_objects(rows, cluster_path, options).err().unwrap_or_default();
        let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(text.contains(expected) && text.is_empty() == expected.is_empty(), "{rows:?} {cluster_path}: {text}");
    }
    let mut longest = targets(URL, &[&format!("{} main x", "e".repeat(50))]);
    let app = AppId::new("shopping").unwrap();
    assert!(Layout::new(&app, &longest, &[], &none).is_ok());
    longest[0].cluster_path = Some("all".to_owned());
    let errors = Layout::new(&app, &longest, &[], &none).unwrap_err();
    assert!(errors[0].to_string().contains("-cluster` is no name for a Kustomization or Application"), "{errors:?}");
}

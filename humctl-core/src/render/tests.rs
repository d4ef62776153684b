//! Golden custom resources, and what must not be in them.

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::id::{DeploymentId, SetId};
use humctl_api_types::set::DeploymentSet;
use humctl_api_types::time::Timestamp;
use serde_json::{Value, json};

use crate::builtin;
use crate::context::tests::context;
use crate::graph::build::GraphInput;
use crate::graph::{PlanError, ResourceTypes, SetIndex};
use crate::matching::Definitions;
use crate::matching::tests::definition;
use crate::plan::{DeployContext, plan_target};
use crate::render::{CrFile, label_value, plan_and_render};
use crate::values::{SecretReference, SharedValue, SharedValues};

fn rendered(extra: &[ResourceDefinition], set: &Value) -> Result<Vec<CrFile>, Vec<PlanError>> {
    rendered_with(extra, set, &SharedValues::NONE)
}

fn rendered_with(
    extra: &[ResourceDefinition],
    set: &Value,
    values: &SharedValues,
) -> Result<Vec<CrFile>, Vec<PlanError>> {
    let context = context();
    let types = builtin::resource_types();
    let mut definitions = builtin::definitions(&context.org, &Timestamp::default());
    definitions.push(definition(
        "git-target",
        "k8s-cluster",
        &json!({"driver_type": "humanitec/k8s-cluster-git", "criteria": [{}], "driver_inputs": {
            "values": {"url": "file:///r", "path": "${context.app.id}", "loadbalancer": "10.0.0.1"},
            "secret_refs": {"credentials": {"password": {"store": "humanitec", "ref": "x", "version": "1"}}},
        }}),
    ));
    definitions.extend_from_slice(extra);
    let definitions = Definitions::new(&definitions);
    let types = ResourceTypes::new(&types);
    let set: DeploymentSet = serde_json::from_value(set.clone()).unwrap();
    let index = SetIndex::new(&set).unwrap();
    let input = GraphInput { values, ..GraphInput::new(&context, &definitions, &types) };
    let target = plan_target(input).into_result()?;
    let deploy = DeployContext { deployment: DeploymentId::new("1a").unwrap(), set: SetId::new("s").unwrap() };
    plan_and_render(input, &index, &target, &deploy).into_result().map(|(_, files)| files)
}

fn hello_world() -> Value {
    json!({"modules": {"hello-world": {"profile": "humanitec/default-module", "spec": {"containers": {"hello-world": {
        "id": "hello-world", "image": "busybox", "command": ["/bin/sh"],
        "args": ["-c", "while true; do printenv && sleep 30; done"],
    }}}}}})
}

fn shown(files: &[CrFile]) -> String {
    files.iter().map(|file| format!("# {}\n{}\n", file.name, file.content)).collect()
}

#[test]
fn the_story_renders_two_resources_and_a_workload() {
    insta::assert_snapshot!(shown(&rendered(&[], &hello_world()).unwrap()), @"
    # resource-7f47a65c8a3bb2ffc1cd83394e31ec9ab0dadb8d.yaml
    apiVersion: humctl.dev/v1alpha1
    kind: Resource
    metadata:
      annotations:
        argocd.argoproj.io/compare-options: IgnoreExtraneous
        argocd.argoproj.io/sync-options: Prune=false,Delete=false
        kustomize.toolkit.fluxcd.io/prune: disabled
        kustomize.toolkit.fluxcd.io/substitute: disabled
      labels:
        app.kubernetes.io/managed-by: humctl
        humctl.dev/app: shop
        humctl.dev/env: development
        humctl.dev/env-type: development
        humctl.dev/org: acme
        humctl.dev/res-class: default
        humctl.dev/res-type: workload
      name: 7f47a65c8a3bb2ffc1cd83394e31ec9ab0dadb8d
    spec:
      class: default
      context:
        appId: shop
        envId: development
        envType: development
        orgId: acme
      definition:
        id: default-humanitec-workload-res
      driver:
        type: humanitec/echo
      guresid: 7f47a65c8a3bb2ffc1cd83394e31ec9ab0dadb8d
      id: modules.hello-world
      outputsSchema:
        properties:
          values:
            properties:
              update:
                type: array
            type: object
        type: object
      params:
        id: hello-world
        spec:
          containers:
            hello-world:
              args:
              - -c
              - while true; do printenv && sleep 30; done
              command:
              - /bin/sh
              id: hello-world
              image: busybox
      schemaRevision: 1
      type: workload

    # resource-f5d1120a1244a32606a3951b5abd5b16bc3cc0ef.yaml
    apiVersion: humctl.dev/v1alpha1
    kind: Resource
    metadata:
      annotations:
        argocd.argoproj.io/compare-options: IgnoreExtraneous
        argocd.argoproj.io/sync-options: Prune=false,Delete=false
        kustomize.toolkit.fluxcd.io/prune: disabled
        kustomize.toolkit.fluxcd.io/substitute: disabled
      labels:
        app.kubernetes.io/managed-by: humctl
        humctl.dev/app: shop
        humctl.dev/env: development
        humctl.dev/env-type: development
        humctl.dev/org: acme
        humctl.dev/res-class: default
        humctl.dev/res-type: base-env
      name: f5d1120a1244a32606a3951b5abd5b16bc3cc0ef
    spec:
      class: default
      context:
        appId: shop
        envId: development
        envType: development
        orgId: acme
      definition:
        id: default-humanitec-base-env
      driver:
        type: humanitec/echo
      guresid: f5d1120a1244a32606a3951b5abd5b16bc3cc0ef
      id: base-env
      params:
        id: development
      schemaRevision: 1
      type: base-env

    # workload-hello-world.yaml
    apiVersion: humctl.dev/v1alpha1
    kind: Workload
    metadata:
      annotations:
        kustomize.toolkit.fluxcd.io/substitute: disabled
      labels:
        app.kubernetes.io/managed-by: humctl
        humctl.dev/app: shop
        humctl.dev/env: development
        humctl.dev/env-type: development
        humctl.dev/org: acme
      name: hello-world
    spec:
      context:
        appId: shop
        envId: development
        envType: development
        orgId: acme
      dependsOn:
      - 7f47a65c8a3bb2ffc1cd83394e31ec9ab0dadb8d
      - f5d1120a1244a32606a3951b5abd5b16bc3cc0ef
      id: hello-world
      module:
        containers:
          hello-world:
            args:
            - -c
            - while true; do printenv && sleep 30; done
            command:
            - /bin/sh
            id: hello-world
            image: busybox
      profile: humanitec/default-module
      resource: 7f47a65c8a3bb2ffc1cd83394e31ec9ab0dadb8d
      schemaRevision: 1
    ");
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    assert_eq!(rendered(&[], &hello_world()).unwrap(), rendered(&[], &hello_world()).unwrap());
}

#[test]
fn references_become_nodes_and_target_outputs_are_inlined() {
    let definitions = [
        definition(
            "pg-cloud",
            "postgres",
            &json!({"driver_type": "humanitec/terraform", "driver_account": "${resources['config#acc'].account}", "criteria": [{}],
            "driver_inputs": {
                "values": {
                    "lb": "${resources['k8s-cluster.default#k8s-cluster'].outputs.loadbalancer}",
                    "ns": "ns=${resources['k8s-namespace.default#k8s-namespace'].outputs.namespace}",
                    "conf": "${resources['config#acc'].values}",
                    "me": "${context.res.id}/${context.res.guresid}",
                    "lit": {"$ref": "mine"},
                    "esc": "$\\{HOME}",
                },
                "secret_refs": {
                    "admin": {"password": {"store": "vault", "ref": "pg", "version": "3"}},
                    "token": {"value": "${resources['config#acc'].outputs.token}"},
                },
            }}),
        ),
        definition(
            "conf-acc",
            "config",
            &json!({"driver_account": "gcp-main", "criteria": [{"res_id": "acc"}], "driver_inputs": {"values": {"region": "eu"}}}),
        ),
    ];
    let set = json!({"modules": {"api": {"profile": "humanitec/default-module", "spec": {"containers": {"main": {
        "image": "x:${not.a.placeholder}",
        "variables": {
            "URL": "pg://${externals.db.username}:${externals.db.password}@${externals.db.host}:5432",
            "PORT": "${externals.db.port}", "ENV": "${context.env.id}", "SELF": "http://${modules.api.service.name}:${modules.api.service.port}",
            "NS": "${pod.metadata.namespace}", "CPU": "${containers.main.limits.cpu}", "HOME": "$\\{HOME}",
        },
    }}, "service": {"ports": {"www": {"service_port": 80}, "adm": {"service_port": 81}}}},
    "externals": {"db": {"type": "postgres"}}}}});
    let files = rendered(&definitions, &set).unwrap();
    let interesting: Vec<CrFile> = files
        .into_iter()
        .filter(|file| file.label().starts_with("postgres") || file.label().starts_with("workload api"))
        .collect();
    insta::assert_snapshot!(shown(&interesting), @r#"
    # resource-6443b8369f8d85f342fb4078c9a4aaf18b636d24.yaml
    apiVersion: humctl.dev/v1alpha1
    kind: Resource
    metadata:
      annotations:
        argocd.argoproj.io/compare-options: IgnoreExtraneous
        argocd.argoproj.io/sync-options: Prune=false,Delete=false
        kustomize.toolkit.fluxcd.io/prune: disabled
        kustomize.toolkit.fluxcd.io/substitute: disabled
      labels:
        app.kubernetes.io/managed-by: humctl
        humctl.dev/app: shop
        humctl.dev/env: development
        humctl.dev/env-type: development
        humctl.dev/org: acme
        humctl.dev/res-class: default
        humctl.dev/res-type: postgres
      name: 6443b8369f8d85f342fb4078c9a4aaf18b636d24
    spec:
      class: default
      context:
        appId: shop
        envId: development
        envType: development
        orgId: acme
      definition:
        id: pg-cloud
      dependsOn:
      - a36ea73a50011b46fc528508fad07e01a9df6273
      driver:
        account: gcp-main
        type: humanitec/terraform
      driverInputs:
        secretRefs:
          admin:
            password:
              ref: pg
              store: vault
              version: "3"
          token:
            $secretRef:
              out: token
              res: a36ea73a50011b46fc528508fad07e01a9df6273
        values:
          conf:
            $ref:
              res: a36ea73a50011b46fc528508fad07e01a9df6273
          esc: ${HOME}
          lb: "10.0.0.1"
          lit:
            $lit:
              $ref: mine
          me: modules.api.externals.db/6443b8369f8d85f342fb4078c9a4aaf18b636d24
          ns: ns=shop-development
      guresid: 6443b8369f8d85f342fb4078c9a4aaf18b636d24
      id: modules.api.externals.db
      outputsSchema:
        properties:
          secrets:
            properties:
              password:
                type: string
              username:
                type: string
            type: object
          values:
            properties:
              host:
                type: string
              name:
                type: string
              port:
                type: integer
            type: object
        type: object
      schemaRevision: 1
      type: postgres

    # workload-api.yaml
    apiVersion: humctl.dev/v1alpha1
    kind: Workload
    metadata:
      annotations:
        kustomize.toolkit.fluxcd.io/substitute: disabled
      labels:
        app.kubernetes.io/managed-by: humctl
        humctl.dev/app: shop
        humctl.dev/env: development
        humctl.dev/env-type: development
        humctl.dev/org: acme
      name: api
    spec:
      context:
        appId: shop
        envId: development
        envType: development
        orgId: acme
      dependsOn:
      - 36ba752d475b522a0bd43ea59d7fe299dc6485b2
      - 6443b8369f8d85f342fb4078c9a4aaf18b636d24
      - f5d1120a1244a32606a3951b5abd5b16bc3cc0ef
      externals:
        db: 6443b8369f8d85f342fb4078c9a4aaf18b636d24
      id: api
      module:
        containers:
          main:
            image: x:${not.a.placeholder}
            variables:
              CPU:
                $field:
                  container: main
                  resource: limits.cpu
              ENV: development
              HOME: ${HOME}
              NS:
                $field:
                  pod: metadata.namespace
              PORT:
                $ref:
                  out: port
                  res: 6443b8369f8d85f342fb4078c9a4aaf18b636d24
              SELF: http://api:81
              URL:
                $concat:
                - pg://
                - $secretRef:
                    out: username
                    res: 6443b8369f8d85f342fb4078c9a4aaf18b636d24
                - ":"
                - $secretRef:
                    out: password
                    res: 6443b8369f8d85f342fb4078c9a4aaf18b636d24
                - "@"
                - $ref:
                    out: host
                    res: 6443b8369f8d85f342fb4078c9a4aaf18b636d24
                - ":5432"
        service:
          ports:
            adm:
              service_port: 81
            www:
              service_port: 80
      profile: humanitec/default-module
      resource: 36ba752d475b522a0bd43ea59d7fe299dc6485b2
      schemaRevision: 1
    "#);
}

#[test]
fn what_only_shows_when_references_are_resolved_is_reported_too() {
    let set = json!({"modules": {"api": {"spec": {"containers": {"main": {"variables": {
        "A": "${values.NOPE}", "B": "${modules.api.service.port}", "C": "${externals.db.password}-${containers.main.limits.cpu}", "D": "on ${pod.spec.nodeName}",
    }}}}, "externals": {"db": {"type": "postgres"}}}}});
    let definitions = [definition(
        "pg-x",
        "postgres",
        &json!({"criteria": [{}], "driver_inputs": {"values": {
            "x": "${resources['k8s-cluster#k8s-cluster'].outputs.nope}",
            "y": "${resources['k8s-cluster#k8s-cluster'].outputs.credentials}",
        }}}),
    )];
    let errors = rendered(&definitions, &set).unwrap_err();
    let shown: String = errors.iter().map(|error| format!("{}: {error}\n", error.code())).collect();
    insta::assert_snapshot!(shown, @r"
    PLN-004: Workload `api` at `/spec/containers/main/variables/D`: placeholder `${pod.spec.nodeName}`: a field of the pod must be the whole variable
      hint: correct it in the Score file of Workload `api`; a literal `${` is written `$\{`
    PLN-005: Workload `api` at `/spec/containers/main/variables/A`: placeholder `${values.NOPE}`: there is no Shared Value `NOPE`; make it with: humctl create value NOPE VALUE
      hint: correct it in the Score file of Workload `api`; a literal `${` is written `$\{`
    PLN-006: Workload `api` at `/spec/containers/main/variables/B`: placeholder `${modules.api.service.port}`: Workload `api` has no service port
      hint: correct it in the Score file of Workload `api`; a literal `${` is written `$\{`
    PLN-006: Definition `pg-x` at `/driver_inputs/values/x`, matched for `postgres.default#modules.api.externals.db`: placeholder `${resources['k8s-cluster#k8s-cluster'].outputs.nope}`: `k8s-cluster.default#k8s-cluster` is part of the target, and it has no output `nope`
      hint: known here: `cluster_type`, `loadbalancer`, `path`, `url`
    PLN-006: Definition `pg-x` at `/driver_inputs/values/y`, matched for `postgres.default#modules.api.externals.db`: placeholder `${resources['k8s-cluster#k8s-cluster'].outputs.credentials}`: `k8s-cluster.default#k8s-cluster` is part of the target, and its secrets are never written to Git
      hint: correct Definition `pg-x`; a literal `${` is written `$\{`
    PLN-011: Workload `api` at `/spec/containers/main/variables/C`: one string mixes a secret with a `pod` or `containers` placeholder
      hint: put them into two variables
    ");
}

#[test]
fn shared_values_are_inlined_and_secret_ones_named() {
    let secret = |version: Option<&str>| {
        SharedValue::Reference(SecretReference {
            store: "vault".to_owned(),
            reference: "shop/key".to_owned(),
            version: version.map(ToOwned::to_owned),
        })
    };
    let held = SecretReference { store: "humanitec".to_owned(), reference: "x".to_owned(), version: None };
    let values: SharedValues = [
        ("LEVEL".to_owned(), SharedValue::Plain("info".to_owned())),
        ("KEY".to_owned(), secret(Some("3"))),
        ("UNUSED".to_owned(), secret(None)),
        ("HELD".to_owned(), SharedValue::Stored(held)),
    ]
    .into_iter()
    .collect();
    let with =
        |variables: Value| json!({"modules": {"api": {"spec": {"containers": {"main": {"variables": variables}}}}}});
    let files = rendered_with(
        &[],
        &with(json!({"LEVEL": "log=${values.LEVEL}", "KEY": "${values.KEY}", "BOTH": "${values.LEVEL}:${values.KEY}"})),
        &values,
    )
    .unwrap();
    let workload = files.iter().find(|file| file.name == "workload-api.yaml").unwrap();
    let module = workload.content.split("  module:\n").nth(1).unwrap();
    insta::assert_snapshot!(module, @r#"
      containers:
        main:
          variables:
            BOTH:
              $concat:
              - "info:"
              - $secretRef:
                  ref: shop/key
                  store: vault
                  version: "3"
            KEY:
              $secretRef:
                ref: shop/key
                store: vault
                version: "3"
            LEVEL: log=info
    profile: ""
    resource: 36ba752d475b522a0bd43ea59d7fe299dc6485b2
    schemaRevision: 1
    "#);
    let mapping = files.iter().find(|file| file.name.starts_with("secretmapping")).unwrap();
    insta::assert_snapshot!(format!("{}\n{}", mapping.name, mapping.content.split("spec:\n").nth(1).unwrap()), @r#"
    secretmapping-shared-secrets.yaml
      secretData:
      - remoteRef:
          key: shop/key
          version: "3"
        secretKey: KEY
        secretStoreName: vault
      secretName: shared-secrets
    "#);

    let errors =
        rendered_with(&[], &with(json!({"A": "${values.HELD}", "B": "${values.LEVLE}"})), &values).unwrap_err();
    let shown: String = errors.iter().map(|error| format!("{}: {error}\n", error.code())).collect();
    insta::assert_snapshot!(shown, @"
    PLN-005: Workload `api` at `/spec/containers/main/variables/B`: placeholder `${values.LEVLE}`: there is no Shared Value `LEVLE`; make it with: humctl create value LEVLE VALUE
      hint: known here: `HELD`, `KEY`, `LEVEL`, `UNUSED`
    PLN-013: Workload `api` at `/spec/containers/main/variables/A`: the Shared Value `HELD` is a secret that only the Orchestrator holds, and values are never written to Git
      hint: give it as a reference instead: humctl create value HELD REF --is-secret-ref --secret-store STORE
    ");
}

#[test]
fn inputs_and_updates_that_do_not_fit_are_reported() {
    let set = json!({
        "modules": {"api": {"spec": {"containers": {}}, "externals": {
            "www": {"type": "route", "params": {"host": "${shared.dns.host}", "port": [], "path": "${externals.db.name}"}},
            "db": {"type": "postgres", "params": {"extensions": {"uuid-ossp": {"version": 1}}}},
        }}},
        "shared": {"dns": {"type": "dns"}},
    });
    let definitions = [
        definition("dns-any", "dns", &json!({"criteria": [{}]})),
        definition("pg-any", "postgres", &json!({"criteria": [{}]})),
        definition(
            "wl-echo",
            "workload",
            &json!({"criteria": [{}], "driver_type": "humanitec/echo", "driver_inputs": {"values": {
                "update": [{"op": "add", "path": "/spec/labels/a", "value": "b"}, {"op": "replace", "path": "/spec/nope/x", "value": 1}],
            }}}),
        ),
    ];
    let errors = rendered(&definitions, &set).unwrap_err();
    let shown: String = errors.iter().map(|error| format!("{}: {error}\n", error.code())).collect();
    insta::assert_snapshot!(shown, @r#"
    PLN-007: the inputs of `postgres.default#modules.api.externals.db` do not fit the schema of its type; they come from resource `db` of Workload `api`:
      /extensions/uuid-ossp/version: 1 is not of type "string"
      hint: see the schema with: humctl get resource-type postgres -o yaml
    PLN-007: the inputs of `route.default#modules.api.externals.www` do not fit the schema of its type; they come from resource `www` of Workload `api`:
      /port: [] is not of types "integer", "string"
      hint: see the schema with: humctl get resource-type route -o yaml
    PRV-002: the `update` of Definition `wl-echo` does not fit Workload `api`: operation 2: path `/spec/nope/x`: there is no `nope`
      hint: its paths start at the module, as in `/spec/labels/team`
    "#);
}

#[test]
fn label_values_always_fit() {
    assert_eq!(label_value("my-org/queue"), "my-org.queue");
    assert_eq!(label_value(&"x".repeat(63)).len(), 63);
    assert!(label_value(&"x".repeat(64)).starts_with("sha256-"));
    assert!(label_value("ends-").starts_with("sha256-"));
}

//! Everything that can be wrong, and how it is told.

use serde_json::json;

use super::worked_example::worked_definitions;
use super::{definitions, errors, set, web};
use crate::matching::tests::definition;

#[test]
fn all_errors_are_reported_at_once_sorted() {
    let set = set(json!({
        "modules": {"api": {
            "spec": {"containers": {"main": {"variables": {
                "A": "${externals.nope.host}", "B": "${nope.x}", "C": "${context.res.id}", "D": "${externals.db}", "E": "${unclosed",
                "F": "${modules.web.service.name}",
            }, "args": ["${anything goes"]}}},
            "externals": {
                "db": {"type": "postgress"},
                "cluster": {"type": "k8s-cluster"},
                "files": {"type": "s3", "class": "ro"},
            },
        }},
        "shared": {"dns": {"type": "dns", "params": {"x": "${externals.db.host}"}}},
    }));
    let mut definitions = worked_definitions();
    definitions.push(definition("dns-twin", "dns", &json!({"criteria": [{}]})));
    definitions.push(definition(
        "base-bad",
        "base-env",
        &json!({"criteria": [{"app_id": "shop"}], "driver_inputs": {
            "values": {"x": "${values.X}"},
            "secret_refs": {"a": {"b": {"store": "humanitec", "ref": "defs/base-bad/a/b", "version": "1"}}},
        }}),
    ));
    insta::assert_snapshot!(errors(&definitions, &set), @r"
    PLN-001 s3.ro#modules.api.externals.files: no Resource Definition matches `s3.ro#modules.api.externals.files` in environment `shop/development`
      needed by: resource `files` of Workload `api`
      closest: `s3-bucket` asks for class `concrete`, here it is `ro`
      closest: `s3-rw` asks for class `rw`, here it is `ro`
      hint: add Matching Criteria to a Definition of type `s3`, for instance {class: ro}
    PLN-002 dns.default#shared.dns: `dns.default#shared.dns` is matched by the same rule of `dns-twin` and `dns-wild`
      hint: change the Matching Criteria of all but one
    PLN-003 k8s-cluster.default#modules.api.externals.cluster: a Workload cannot ask for `k8s-cluster.default#modules.api.externals.cluster`: the type `k8s-cluster` is implicit
      hint: every Deployment has it already
    PLN-003 postgress.default#modules.api.externals.db: `postgress` is no Resource Type
      needed by: resource `db` of Workload `api`
      hint: did you mean `postgres`?
    PLN-004 api: Workload `api` at `/spec/containers/main/variables/B`: placeholder `${nope.x}`: nothing is called `nope` here; known are `context`, `values`, `externals`, `shared`, `modules`, `pod`, `containers`, `resources`
      hint: correct it in the Score file of Workload `api`; a literal `${` is written `$\{`
    PLN-004 api: Workload `api` at `/spec/containers/main/variables/C`: placeholder `${context.res.id}`: `context.res` exists only in Resource Definitions
      hint: correct it in the Score file of Workload `api`; a literal `${` is written `$\{`
    PLN-004 api: Workload `api` at `/spec/containers/main/variables/D`: placeholder `${externals.db}`: it names no output; add one, as in `.host`
      hint: correct it in the Score file of Workload `api`; a literal `${` is written `$\{`
    PLN-004 api: Workload `api` at `/spec/containers/main/variables/E`: placeholder `${unclosed}`: it has no closing `}`
      hint: correct it in the Score file of Workload `api`; a literal `${` is written `$\{`
    PLN-004 base-env.default#base-env: Definition `base-bad` at `/driver_inputs/values/x`, matched for `base-env.default#base-env`: placeholder `${values.X}`: a Resource Definition knows only `context` and `resources`
      hint: correct Definition `base-bad`; a literal `${` is written `$\{`
    PLN-004 shared.dns: shared resource `dns` at `/params/x`: placeholder `${externals.db.host}`: a shared resource has no `externals`; name the Workload: `modules.W.externals.N`
      hint: correct it in the Score file that declares `dns`; a literal `${` is written `$\{`
    PLN-005 api: Workload `api` at `/spec/containers/main/variables/A`: placeholder `${externals.nope.host}`: Workload `api` declares no resource `nope`
      hint: known here: `cluster`, `db`, `files`
    PLN-005 api: Workload `api` at `/spec/containers/main/variables/F`: placeholder `${modules.web.service.name}`: there is no Workload `web` in the Deployment Set; deploy it first
      hint: known here: `api`
    PLN-013 base-env.default#base-env: Definition `base-bad`, matched for `base-env.default#base-env`, holds secret values, and values are never written to Git:
      /driver_inputs/secrets/a/b
      hint: name them in a secret store instead, as secret_refs with `store` and `ref`
    ");
}

#[test]
fn outputs_must_be_there_for_whoever_asks() {
    let yaml = "
        echo: {type: s3, driver_type: humanitec/echo, driver_inputs: {values: {bucket: x}, secret_refs: {key: {store: s, ref: r}}}}
        conf: {type: config, driver_account: '${resources[\"s3#modules.web.externals.files\"].account}', uses: ['${resources[\"s3#modules.web.externals.files\"].outputs.arn}']}
        base: {type: base-env, uses: ['${resources[\"config#facts\"].outputs.any}', '${resources[\"base-env#base-env>config\"].outputs.any}']}
    ";
    let mut set = web(&[("files", "s3")]);
    let spec = &mut set.modules.get_mut("web").unwrap().spec;
    *spec = serde_json::from_value(json!({"containers": {"main": {"variables": {
        "GOOD": "${externals.files.bucket} ${externals.files.key}", "BAD": "${externals.files.region}",
    }}}}))
    .unwrap();
    insta::assert_snapshot!(errors(&definitions(yaml), &set), @r#"
    PLN-006 config.default#facts: Definition `conf` at `/driver_account`, matched for `config.default#facts`: placeholder `${resources["s3#modules.web.externals.files"].account}`: `s3.default#modules.web.externals.files` has no Cloud Account
      hint: correct Definition `conf`; a literal `${` is written `$\{`
    PLN-006 config.default#facts: Definition `conf` at `/driver_inputs/values/uses/0`, matched for `config.default#facts`: placeholder `${resources["s3#modules.web.externals.files"].outputs.arn}`: `s3.default#modules.web.externals.files` has no such output: Definition `echo` gives no output `arn`
      hint: known here: `bucket`, `key`
    PLN-006 web: Workload `web` at `/spec/containers/main/variables/BAD`: placeholder `${externals.files.region}`: `s3.default#modules.web.externals.files` has no such output: Definition `echo` gives no output `region`
      hint: known here: `bucket`, `key`
    "#);
}

#[test]
fn places_types_and_old_forms_are_checked() {
    let set = set(json!({
        "modules": {"web": {
            "spec": {
                "ingress": {"rules": {}},
                "labels": {"node": "${pod.spec.nodeName}"},
                "containers": {"main": {"variables": {"IP": "ip=${pod.status.podIP}", "X": "${pod.spec.nope}"}}},
            },
        }},
        "shared": {"scale": {"type": "horizontal-pod-autoscaler"}},
    }));
    let yaml = "
        bare: {type: base-env, uses: ['${resources[\"config#facts\"].any}']}
        conf: {type: config, driver_inputs: {secret_refs: {key: {store: s, ref: '${context.app.id}'}}}}
        hpa: {type: horizontal-pod-autoscaler}
    ";
    insta::assert_snapshot!(errors(&definitions(yaml), &set), @r#"
    PLN-003 horizontal-pod-autoscaler.default#shared.scale: `horizontal-pod-autoscaler.default#shared.scale` is shared, and a `horizontal-pod-autoscaler` belongs to one Workload
      hint: declare it in the Workload without an id
    PLN-003 web: Workload `web` at `/spec/ingress`: this deprecated form is not supported
      hint: declare resources of type `dns` and `route` instead
    PLN-004 base-env.default#base-env: Definition `bare` at `/driver_inputs/values/uses/0`, matched for `base-env.default#base-env`: placeholder `${resources["config#facts"].any}`: after a resource comes `outputs`, `values`, `guresid` or `account`, as in `.outputs.host`, and a resource with a dot in it stands in brackets, as in `['config#a.b']`
      hint: correct Definition `bare`; a literal `${` is written `$\{`
    PLN-004 config.default#facts: Definition `conf` at `/driver_inputs/secret_refs/key/ref`, matched for `config.default#facts`: placeholder `${context.app.id}`: a secret reference cannot hold placeholders
      hint: correct Definition `conf`; a literal `${` is written `$\{`
    PLN-004 web: Workload `web` at `/spec/containers/main/variables/IP`: placeholder `${pod.status.podIP}`: a field of the pod must be the whole variable
      hint: correct it in the Score file of Workload `web`; a literal `${` is written `$\{`
    PLN-004 web: Workload `web` at `/spec/containers/main/variables/X`: placeholder `${pod.spec.nope}`: a container cannot read `pod.spec.nope`; known are `metadata.name`, `metadata.namespace`, `metadata.uid`, `metadata.labels['k']`, `metadata.annotations['k']`, `spec.nodeName`, `spec.serviceAccountName`, `status.podIP`, `status.hostIP`
      hint: correct it in the Score file of Workload `web`; a literal `${` is written `$\{`
    PLN-004 web: Workload `web` at `/spec/labels/node`: placeholder `${pod.spec.nodeName}`: a field of the pod can only be the value of a variable
      hint: correct it in the Score file of Workload `web`; a literal `${` is written `$\{`
    "#);
}

#[test]
fn a_selector_of_a_type_that_does_not_exist_is_an_error() {
    let definitions = definitions(
        "
any-role:
  type: aws-role
  uses:
    - ${resources['workload>aws-polcy'].outputs.arn}
    - ${resources['wrkload>route'].outputs.path}
    - ${resources['workload>nonsense'].outputs.x}
    - ${resources['workload>aws-policy'].outputs.arn}
any-pg: {type: postgres, uses: ['${resources.aws-role.outputs.arn}']}
",
    );
    let set = web(&[("db", "postgres"), ("x", "fooobar")]);
    insta::assert_snapshot!(errors(&definitions, &set), @"
    PLN-003 aws-role.default#modules.web.externals.db: Definition `any-role` at `/driver_inputs/values/uses/0`, matched for `aws-role.default#modules.web.externals.db`: placeholder `${resources['workload>aws-polcy'].outputs.arn}`: `aws-polcy` is no Resource Type
      hint: did you mean `aws-policy`?
    PLN-003 aws-role.default#modules.web.externals.db: Definition `any-role` at `/driver_inputs/values/uses/1`, matched for `aws-role.default#modules.web.externals.db`: placeholder `${resources['wrkload>route'].outputs.path}`: `wrkload` is no Resource Type
      hint: did you mean `workload`?
    PLN-003 aws-role.default#modules.web.externals.db: Definition `any-role` at `/driver_inputs/values/uses/2`, matched for `aws-role.default#modules.web.externals.db`: placeholder `${resources['workload>nonsense'].outputs.x}`: `nonsense` is no Resource Type
      hint: see those that there are with: humctl get resource-types
    PLN-003 fooobar.default#modules.web.externals.x: `fooobar` is no Resource Type
      needed by: resource `x` of Workload `web`
      hint: see those that there are with: humctl get resource-types
    ");
}

//! What Drivers are lowered to, and what that makes.

use humctl_api_types::definition::CreateDefinition;
use serde_json::{Value, json};

use super::*;
use crate::context::tests::{context, key};
use crate::driver::trial::{self, TrialInputs};
use crate::matching::tests::definition;

fn driver(id: &str, target: &str, template: &Value) -> DriverInfo {
    let body = json!({"org_id": "acme", "id": id, "type": "redis", "target": target, "template": template});
    serde_json::from_value(body).unwrap()
}

/// The Driver of `resource` when a Definition names `driver_type` with these inputs.
fn lowered(
    resource: &str,
    driver_type: &str,
    inputs: &Value,
    drivers: &Drivers,
    others: &[ResourceDefinition],
) -> Result<(String, Value), String> {
    let resource = key(resource);
    let body = json!({"driver_type": driver_type, "driver_inputs": inputs});
    let definition = definition("def", resource.res_type.as_str(), &body);
    let definitions = Definitions::new(others);
    let scope = Scope { context: &context(), resource: &resource, definitions: &definitions, drivers };
    let driver = node_driver(&definition, scope)?;
    assert_eq!(driver.lowered_from.is_some(), driver.driver_type != driver_type);
    Ok((
        driver.driver_type.to_string(),
        crate::json::to_value(driver.inputs.as_deref().unwrap_or(&DriverInputs::default())),
    ))
}

const RESOURCE: &str = "redis.default#modules.web.externals.cache";

#[test]
fn a_virtual_driver_makes_the_inputs_of_its_target() {
    // Template, inputs of the Definition, inputs of the target or part of the refusal.
    let rows: Vec<(Value, Value, Result<Value, &str>)> = vec![
        // spec/drivers.md §3, and the sample of the API's document.
        (
            json!(
                "values:\n  host: redis-{{ .driver.values.tier | default \"small\" }}.corp.internal\n  port: 6379\nsecrets: {}\n"
            ),
            json!({}),
            Ok(json!({"values": {"host": "redis-small.corp.internal", "port": 6379}})),
        ),
        (
            json!("{{ mustToRawJson .driver }}"),
            json!({"values": {"a": {"b": [1, "${resources.config.outputs.x}", "$\\{y}"]}},
                   "secret_refs": {"p": {"store": "vault", "ref": "p"}, "q": {"r": {"value": "${resources.pg.outputs.pw}"}}}}),
            Ok(json!({"values": {"a": {"b": [1, "${resources.config.outputs.x}", "$\\{y}"]}},
                      "secret_refs": {"p": {"store": "vault", "ref": "p"}, "q": {"r": {"value": "${resources.pg.outputs.pw}"}}}})),
        ),
        // The context is there to be looked at; what the template writes is expanded afterwards.
        (
            json!({"values": {"size": "{{ if eq .driver.values.env \"development\" }}1{{ else }}3{{ end }}", "fixed": true,
                              "host": "{{ .driver.values.name }}.${resources.dns.outputs.host}"}}),
            json!({"values": {"env": "${context.env.type}", "name": "x-${context.app.id}"}}),
            Ok(json!({"values": {"size": 1, "fixed": true, "host": "x-shop.${resources.dns.outputs.host}"}})),
        ),
        // What another resource gives is handed on, also inside other text.
        (
            json!("values: {url: \"redis://{{ .driver.values.host }}:6379\", n: {{ .driver.values.host | quote }}}"),
            json!({"values": {"host": "h-${resources.config.outputs.host}"}}),
            Ok(
                json!({"values": {"url": "redis://h-${resources.config.outputs.host}:6379", "n": "h-${resources.config.outputs.host}"}}),
            ),
        ),
        (
            json!("values: {n: {{ len .driver.values.host }}}"),
            json!({"values": {"host": "${resources.config.outputs.host}"}}),
            Err("it can only be handed on whole"),
        ),
        (
            json!("secrets: {url: {{ .driver.secrets.pw | quote }}, user: \"${resources.pg.outputs.user}\", n: 1}"),
            json!({"secret_refs": {"pw": {"store": "vault", "ref": "p", "version": "1"}}}),
            Ok(json!({"secret_refs": {"url": {"store": "vault", "ref": "p", "version": "1"},
                                      "user": {"value": "${resources.pg.outputs.user}"}, "n": {"value": "1"}}})),
        ),
        (
            json!("secrets: {url: \"redis://:{{ .driver.secrets.pw }}@h\"}"),
            json!({"secret_refs": {"pw": {"store": "vault", "ref": "p"}}}),
            Err("of a secret and other text"),
        ),
        (
            json!("values: {pw: {{ .driver.secrets.pw }}}"),
            json!({"secret_refs": {"pw": {"store": "vault", "ref": "p"}}}),
            Err("puts a secret among the values"),
        ),
        (json!(""), json!({"values": {"a": 1}}), Ok(json!({}))),
        (json!(null), json!({"values": {"a": 1}}), Ok(json!({"values": {"a": 1}}))),
        (json!("vaules: {}"), json!({}), Err("its template makes `vaules`")),
        (json!("values: [1]"), json!({}), Err("makes `values` that is no mapping")),
        (json!("- 1"), json!({}), Err("makes no mapping")),
        (json!("a: [\n{{ fail \"tier is missing\" }}"), json!({}), Err("tier is missing")),
        (json!("{{ randAlpha 3 }}"), json!({}), Err("virtual Driver `acme/corp`: template:1:")),
    ];
    for (template, inputs, expected) in rows {
        let drivers = Drivers::new([driver("corp", "driver://humanitec/echo", &template)]);
        match (lowered(RESOURCE, "acme/corp", &inputs, &drivers, &[]), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, ("humanitec/echo".to_owned(), expected), "{template}"),
            (Err(found), Err(expected)) => assert!(found.contains(expected), "{template}: {found}"),
            (found, expected) => panic!("{template}: {found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn virtual_drivers_stand_in_front_of_others_but_not_in_a_circle() {
    let pass = json!("{{ .driver | toRawJson }}");
    let drivers = Drivers::new([
        driver("one", "driver://acme/two", &pass),
        driver("two", "driver://humanitec/dns-wildcard", &pass),
        driver("red", "driver://acme/blue", &pass),
        driver("blue", "driver://acme/red", &pass),
        driver("far", "https://drivers.example.net/far", &json!(null)),
    ]);
    let inputs = json!({"values": {"domain": "dev.example.net", "template": "web"}});
    let lower = |driver_type: &str| lowered("dns.default#shared.d", driver_type, &inputs, &drivers, &[]);
    assert_eq!(
        lower("acme/one"),
        Ok(("humanitec/echo".to_owned(), json!({"values": {"host": "web.dev.example.net"}})))
    );
    assert_eq!(lower("acme/red").unwrap_err(), "virtual Drivers stand in a circle: acme/red → acme/blue → acme/red");
    assert_eq!(lower("acme/far"), Ok(("acme/far".to_owned(), inputs.clone())));
    assert_eq!(lower("acme/unregistered"), Ok(("acme/unregistered".to_owned(), inputs.clone())));
}

#[test]
fn what_a_hosted_driver_needs_has_to_be_there() {
    // Resource, Driver, inputs, the Driver that does it or the refusal.
    for (resource, driver_type, values, expected) in [
        ("dns.default#d1", "dns-wildcard", json!({"domain": "x.net"}), Ok("humanitec/echo")),
        (
            "dns.default#d1",
            "dns-wildcard",
            json!({"domain": "x.net", "template": "{{ .id | trunc 5 }}"}),
            Ok("humanitec/template"),
        ),
        ("dns.default#d1", "dns-wildcard", json!({}), Err("`humanitec/dns-wildcard`: the value `domain` is missing")),
        (
            "dns.default#d1",
            "dns-wildcard",
            json!({"domain": 1}),
            Err("`humanitec/dns-wildcard`: the value `domain` is no text"),
        ),
        ("ingress.default#d1", "ingress", json!({}), Ok("humanitec/template")),
        ("volume.default#v1", "volume-pvc", json!({"capacity": "1Gi"}), Ok("humanitec/template")),
        ("volume.default#v1", "volume-pvc", json!({"storage_capacity": "1Gi"}), Ok("humanitec/template")),
        ("volume.default#v1", "volume-pvc", json!({}), Err("`humanitec/volume-pvc`: the value `capacity` is missing")),
        (
            "volume.default#v1",
            "volume-nfs",
            json!({"server": "s"}),
            Err("`humanitec/volume-nfs`: the value `path` is missing"),
        ),
        ("horizontal-pod-autoscaler.default#h1", "hpa", json!({}), Ok("humanitec/template")),
        ("postgres.default#p1", "postgres-cloudsql-static", json!({"host": "h"}), Ok("humanitec/echo")),
        ("postgres.default#p1", "postgres-cloudsql", json!({"instance": "i"}), Ok("humanitec/postgres-cloudsql")),
        ("s3.default#b1", "terraform", json!({}), Ok("humanitec/terraform")),
        ("dns.default#d1", "newapp-io-dns", json!({}), Ok("humanitec/newapp-io-dns")),
        ("dns.default#d1", "echo", json!({"host": "h"}), Ok("humanitec/echo")),
    ] {
        let inputs = json!({ "values": values });
        let found = lowered(resource, &format!("humanitec/{driver_type}"), &inputs, &Drivers::NONE, &[]);
        let found = found.as_ref().map(|(driver_type, _)| driver_type.as_str()).map_err(String::as_str);
        assert_eq!(found, expected, "{driver_type} {values}");
    }
}

#[test]
fn only_what_humanitecs_service_runs_is_hosted() {
    let hosted = |driver_type: &str| {
        NodeDriver::of(&definition("def", "s3", &json!({ "driver_type": driver_type }))).is_hosted()
    };
    for driver_type in ["humanitec/terraform", "humanitec/s3", "humanitec/ingress", "humanitec/newapp-io-dns"] {
        assert!(hosted(driver_type), "{driver_type}");
    }
    for driver_type in
        ["humanitec/echo", "humanitec/template", "humanitec/k8s-cluster-gke", "humanitec/agent", "acme/s3"]
    {
        assert!(!hosted(driver_type), "{driver_type}");
    }
}

/// What the Driver makes in the end, with these values for placeholders.
fn made(resource: &str, driver_type: &str, values: &Value, inputs: &Value, others: &[ResourceDefinition]) -> Value {
    let (driver_type, driver_inputs) =
        lowered(resource, driver_type, &json!({ "values": values }), &Drivers::NONE, others).unwrap();
    let definition: CreateDefinition = serde_json::from_value(json!({
        "id": "def", "name": "def", "type": key(resource).res_type, "driver_type": driver_type,
        "driver_inputs": driver_inputs,
    }))
    .unwrap();
    let inputs: TrialInputs = serde_json::from_value(inputs.clone()).unwrap();
    trial::run(&definition, &inputs).unwrap().result
}

#[test]
fn an_ingress_has_a_path_for_every_route() {
    // spec/drivers.md §11.3 and §19 item 6.
    let routes = |paths: Value, ports: Value, services: Value| {
        json!({"placeholders": {
            "resources.dns.outputs.host": "web.example.net", "resources.dns<route.outputs.path": paths,
            "resources.dns<route.outputs.port": ports, "resources.dns<route.outputs.service": services,
            "resources.tls-cert.outputs.tls_secret_name": "cert", "context.res.guresid": "4f1a",
        }})
    };
    let two = routes(json!(["/api", "/"]), json!([8080, 80]), json!(["api", "web"]));
    let certificate = definition("tls", "tls-cert", &json!({"driver_type": "humanitec/echo", "criteria": [{}]}));
    let make = |values: Value, inputs: &Value, others: &[ResourceDefinition]| {
        made("ingress.default#shared.dns", "humanitec/ingress", &values, inputs, others)
    };
    let object = |made: &Value| made["manifests"]["ingress"]["data"].clone();
    let tls = |made: &Value| object(made)["spec"]["tls"][0]["secretName"].clone();
    let none = make(json!({}), &routes(json!([]), json!([]), json!([])), &[]);
    assert_eq!((&none["manifests"], &none["outputs"]), (&json!({}), &json!({"id": "4f1a-ingress"})));
    let full = make(
        json!({"class": "nginx", "annotations": {"a": "1"}, "labels": {"l": "x"}, "path_type": "Exact"}),
        &two,
        &[],
    );
    assert_eq!(
        object(&full),
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "4f1a-ingress", "annotations": {"a": "1"}, "labels": {"l": "x"}},
            "spec": {"ingressClassName": "nginx", "rules": [{"host": "web.example.net", "http": {"paths": [
                {"path": "/api", "pathType": "Exact", "backend": {"service": {"name": "api", "port": {"number": 8080}}}},
                {"path": "/", "pathType": "Exact", "backend": {"service": {"name": "web", "port": {"number": 80}}}},
            ]}}]},
        })
    );
    assert_eq!(
        object(&make(json!({"annotations": "{\"a\": \"1\"}"}), &two, &[]))["metadata"]["annotations"],
        json!({"a": "1"})
    );
    // Values, other Definitions, secret of the certificate.
    for (values, others, expected) in [
        (json!({}), &[][..], Value::Null),
        (json!({"tls_secret_name": "own"}), &[], json!("own")),
        (json!({"tls_secret_name": "own", "no_tls": true}), &[], Value::Null),
        (json!({}), std::slice::from_ref(&certificate), json!("cert")),
        (json!({"no_tls": false}), std::slice::from_ref(&certificate), json!("cert")),
        (json!({"no_tls": true}), std::slice::from_ref(&certificate), Value::Null),
        (json!({"tls_secret_name": "own"}), std::slice::from_ref(&certificate), json!("own")),
        (json!({"automatic_tls_secret_name": "auto"}), std::slice::from_ref(&certificate), json!("auto")),
    ] {
        assert_eq!(tls(&make(values.clone(), &two, others)), expected, "{values} {}", others.len());
    }
}

#[test]
fn volumes_and_autoscalers_come_as_templates() {
    let id = json!({"placeholders": {"context.res.guresid": "4f1a", "context.res.id": "modules.web.externals.x"}});
    let volume = |driver_type: &str, values: Value| {
        made("volume.default#v1", driver_type, &values, &id, &[])["manifests"].clone()
    };
    let pvc = volume(
        "humanitec/volume-pvc",
        json!({"capacity": "5Gi", "access_modes": "ReadWriteOnce, ReadOnlyMany", "storage_class_name": "fast"}),
    );
    assert_eq!(
        pvc,
        json!({
            "claim": {"location": "namespace", "data": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "pvc-4f1a"},
                "spec": {"accessModes": ["ReadWriteOnce", "ReadOnlyMany"], "storageClassName": "fast",
                         "resources": {"requests": {"storage": "5Gi"}}}}},
            "volume": {"location": "volumes", "data": {
                "name": "vol-4f1a", "persistentVolumeClaim": {"claimName": "pvc-4f1a"}}},
        })
    );
    let old = volume("humanitec/volume-pvc", json!({"storage_capacity": "1Gi", "access_mode": "ReadWriteMany"}));
    assert_eq!(
        old["claim"]["data"]["spec"],
        json!({"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}})
    );
    assert_eq!(
        volume("humanitec/volume-nfs", json!({"server": "nfs.corp", "path": "/data"})),
        json!({"volume": {"location": "volumes", "data": {"name": "vol-4f1a", "nfs": {"server": "nfs.corp", "path": "/data"}}}})
    );
    // Values of the Definition, resource inputs, bounds and aim.
    for (values, resource, expected) in [
        (json!({}), json!({}), (2, 3, 80)),
        (json!({"minReplicas": 1, "maxReplicas": 5, "targetCPUUtilizationPercentage": 60}), json!({}), (1, 5, 60)),
        (json!({"minReplicas": 1}), json!({"minReplicas": 4, "maxReplicas": 9}), (4, 9, 80)),
    ] {
        let mut inputs = id.clone();
        inputs["resource"] = resource;
        let made =
            made("horizontal-pod-autoscaler.default#modules.web.externals.x", "humanitec/hpa", &values, &inputs, &[]);
        let spec = &made["manifests"]["autoscaler"]["data"]["spec"];
        let found = (
            &spec["minReplicas"],
            &spec["maxReplicas"],
            &spec["metrics"][0]["resource"]["target"]["averageUtilization"],
        );
        assert_eq!(found, (&json!(expected.0), &json!(expected.1), &json!(expected.2)), "{values}");
        assert_eq!(spec["scaleTargetRef"]["name"], json!("web"));
    }
}

//! The Service and its ports.

use super::*;

fn ports(ports: &str) -> String {
    format!("service: {{ports: {ports}}}")
}

#[test]
fn ports_are_those_of_the_module() {
    for (chapter, text, expected) in [
        (
            "§7.4",
            "{www: {service_port: 80, container_port: 8080}}",
            "[{name: port-www, port: 80, protocol: TCP, targetPort: 8080}]",
        ),
        ("§7.4 no container port", "{www: {service_port: 80}}", "[{name: port-www, port: 80, protocol: TCP}]"),
        ("§7.4 a protocol", "{dns: {service_port: 53, protocol: UDP}}", "[{name: port-dns, port: 53, protocol: UDP}]"),
        ("§7.4 a name", "{www: {service_port: 80, name: http}}", "[{name: http, port: 80, protocol: TCP}]"),
        (
            "§7.4 a Shared Value is text",
            "{www: {service_port: '80', container_port: '81'}}",
            "[{name: port-www, port: 80, protocol: TCP, targetPort: 81}]",
        ),
        (
            "§7.4 sorted",
            "{b: {service_port: 1}, a: {service_port: 2}}",
            "[{name: port-a, port: 2, protocol: TCP}, {name: port-b, port: 1, protocol: TCP}]",
        ),
        (
            "§10 one number, two protocols",
            "{a: {service_port: 53}, b: {service_port: 53, protocol: UDP}}",
            "[{name: port-a, port: 53, protocol: TCP}, {name: port-b, port: 53, protocol: UDP}]",
        ),
    ] {
        assert_eq!(at(&ok(MODULE, &ports(text)), "Service shop /spec/ports"), yaml(expected), "{chapter}: {text}");
    }
    check(
        MODULE,
        &[
            ("§7.4", &ports("{a: {service_port: 1}}"), "Service shop /spec/type", "ClusterIP"),
            (
                "§7.4",
                &ports("{a: {service_port: 1}}"),
                "Service shop /spec/selector",
                "{app.kubernetes.io/instance: shop, app.kubernetes.io/name: shop}",
            ),
            (
                "§7.4",
                "service: {ports: {a: {service_port: 1}}, annotations: {x: 1}, labels: {y: z}}",
                "Service shop /metadata/annotations",
                "{x: '1'}",
            ),
            (
                "§7.4",
                "service: {ports: {a: {service_port: 1}}, labels: {y: z}}",
                "Service shop /metadata/labels/y",
                "z",
            ),
        ],
    );
}

#[test]
fn long_names_of_ports_are_cut_and_stay_apart() {
    let (one, other) = ("p".repeat(62) + "1", "p".repeat(62) + "2");
    let found = ok(MODULE, &ports(&format!("{{{one}: {{service_port: 1}}, {other}: {{service_port: 2}}}}")));
    let name = |n: usize| at(&found, &format!("Service shop /spec/ports/{n}/name")).as_str().unwrap().to_owned();
    for name in [name(0), name(1)] {
        assert_eq!(name.len(), 63, "§7.4");
        assert!(name.starts_with("port-ppp") && names::is_label(&name), "§7.4: {name}");
    }
    assert_ne!(name(0), name(1), "§10");
}

#[test]
fn a_workload_may_have_a_name_of_63_characters() {
    let (name, text) = ("w".repeat(63), ports("{a: {service_port: 1}}"));
    let found = named(&name, MODULE, &module(&text), &Injected::default()).unwrap();
    for kind in ["Deployment", "Service"] {
        assert_eq!(at(&found, &format!("{kind} {name} /metadata/labels/humanitec.io~1workload")), json!(name), "§10");
    }
    let found = named(&"w".repeat(64), MODULE, &module(&text), &Injected::default()).unwrap_err();
    assert_eq!(found[0].message, "a Workload is named with lower-case letters, digits and -, 63 at most", "§10");
}

#[test]
fn ports_that_cannot_be_are_refused() {
    let of = "/service/ports/";
    for (chapter, text, expected) in [
        (
            "§10 twice",
            "{a: {service_port: 80}, b: {service_port: '80', protocol: tcp}}",
            format!("{of}b: another port of the service is 80/TCP, too"),
        ),
        ("§7.4", "{a: {}}", format!("{of}a/service_port: it is no number from 1 to 65535")),
        ("§7.4", "{a: {service_port: 70000}}", format!("{of}a/service_port: it is no number from 1 to 65535")),
        (
            "§7.4",
            "{a: {service_port: 1, container_port: 0}}",
            format!("{of}a/container_port: it is no number from 1 to 65535"),
        ),
        ("§7.4", "{a: {service_port: 1, protocol: HTTP}}", format!("{of}a/protocol: it is none of TCP, UDP and SCTP")),
        (
            "§7.4",
            "{a: {service_port: 1, name: HTTP}}",
            format!("{of}a/name: a port is named with lower-case letters, digits and -, 63 at most"),
        ),
        (
            "§8 unique names",
            "{a: {service_port: 1, name: x}, b: {service_port: 2, name: x}}",
            format!("{of}b/name: another port of the service has the name `x`, too"),
        ),
        ("§7.4", "{a: 80}", format!("{of}a: it is no mapping with a `service_port`")),
    ] {
        assert_eq!(errors(MODULE, &ports(text)), expected, "{chapter}: {text}");
    }
    check_errors(MODULE, &[("§7.4", "service: []", "/service: it is no mapping")]);
    let text = ports("{a: {service_port: 1}}");
    let found = named("1shop", MODULE, &module(&text), &Injected::default()).unwrap_err();
    assert_eq!(
        found[0].message,
        "a Service cannot be named `1shop`, since its name starts with a letter\n  hint: rename the Workload",
        "§10"
    );
    assert!(named("1shop", MODULE, &module("{}"), &Injected::default()).is_ok(), "§10: only a Service cannot");
}

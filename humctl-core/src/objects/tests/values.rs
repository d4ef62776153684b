//! Values that Kubernetes takes nowhere, each at its place; and those that look
//! odd and are fine.

use super::*;

/// A container `web` with such a field.
fn web(field: &str) -> String {
    format!("containers: {{web: {{{field}}}}}")
}

#[test]
fn numbers_of_controllers_are_whole_and_large_enough() {
    check_errors(
        MODULE,
        &[
            ("§6.1", "replicas: -1", "/replicas: `-1` is no whole number of 0 or more"),
            ("§6.1", "replicas: two", "/replicas: `two` is no whole number of 0 or more"),
            ("§6.1", "deployment: {replicas: 1.5}", "/deployment/replicas: `1.5` is no whole number of 0 or more"),
            ("§6.1", "deployment: {replicas: [1]}", "/deployment/replicas: a list is no whole number of 0 or more"),
            (
                "§6.1",
                "deployment: {replicas: 3000000000}",
                "/deployment/replicas: `3000000000` is no whole number from 0 to 2147483647",
            ),
            ("§6.1", "minReadySeconds: -1", "/minReadySeconds: `-1` is no whole number of 0 or more"),
            (
                "§6.1",
                "deployment: {revisionHistoryLimit: none}",
                "/deployment/revisionHistoryLimit: `none` is no whole number of 0 or more",
            ),
            ("§6.1", "deployment: {paused: maybe}", "/deployment/paused: `maybe` is neither true nor false"),
            ("§6.1", "strategy: Recreate", "/strategy: it is no mapping"),
            (
                "§6.1",
                "strategy: {type: recreate}",
                "/strategy/type: `recreate` is none of RollingUpdate and Recreate\n  hint: did you mean `Recreate`?",
            ),
            (
                "§6.1",
                "strategy: {rollingUpdate: {maxSurge: 25 %, maxUnavailable: 0}}",
                "/strategy/rollingUpdate/maxSurge: `25 %` is no number of Pods\n  hint: such as 1, or \"25%\"",
            ),
        ],
    );
    check_errors(
        JOB,
        &[
            ("§6.1", "job: {backoffLimit: -1}", "/job/backoffLimit: `-1` is no whole number of 0 or more"),
            (
                "§6.1",
                "job: {activeDeadlineSeconds: 0}",
                "/job/activeDeadlineSeconds: `0` is no whole number of 1 or more",
            ),
            ("§6.1", "job: {completions: all}", "/job/completions: `all` is no whole number of 0 or more"),
            ("§6.1", "job: {suspend: 1}", "/job/suspend: `1` is neither true nor false"),
            (
                "§6.1",
                "job: {completionMode: Index}",
                "/job/completionMode: `Index` is none of NonIndexed and Indexed\n  hint: did you mean `Indexed`?",
            ),
        ],
    );
    for (profile, text, place, expected) in [
        (MODULE, "deployment: {replicas: '2', paused: 'true'}", "Deployment shop /spec/replicas", "2"),
        (MODULE, "deployment: {replicas: '2', paused: 'true'}", "Deployment shop /spec/paused", "true"),
        (
            MODULE,
            "strategy: {rollingUpdate: {maxSurge: '1'}}",
            "Deployment shop /spec/strategy/rollingUpdate/maxSurge",
            "1",
        ),
        (MODULE, "deployment: {novelty: odd}", "Deployment shop /spec/novelty", "odd"),
    ] {
        assert_eq!(at(&ok(profile, text), place), yaml(expected), "a Shared Value is text: {text}");
    }
}

#[test]
fn pods_are_started_again_where_they_run_on() {
    let always =
        "the Pods of a Deployment run until they are replaced; what ends has the profile humanitec/default-job";
    let ends = "a Job ends; what runs on has the profile humanitec/default-module";
    let schedule = "schedules: {s: {schedule: '@daily'}, t: {schedule: '@daily'}}";
    for (profile, text, expected) in [
        (
            MODULE,
            "pod: {restartPolicy: Never}".to_owned(),
            format!("/pod/restartPolicy: `Never` is not Always\n  hint: {always}"),
        ),
        (
            MODULE,
            "restartPolicy: OnFailure".to_owned(),
            format!("/restartPolicy: `OnFailure` is not Always\n  hint: {always}"),
        ),
        (
            JOB,
            "pod: {restartPolicy: Always}".to_owned(),
            format!("/pod/restartPolicy: `Always` is none of Never and OnFailure\n  hint: {ends}"),
        ),
        (
            CRONJOB,
            format!("{{{schedule}, restartPolicy: Always}}"),
            format!("/restartPolicy: `Always` is none of Never and OnFailure\n  hint: {ends}"),
        ),
    ] {
        assert_eq!(errors(profile, &text), expected, "§7.7: {text}");
    }
    assert_eq!(pod(&ok(MODULE, "restartPolicy: Always"), "/restartPolicy"), json!("Always"));
    let job = ok(JOB, "pod: {restartPolicy: ''}");
    let job = job.objects.iter().find(|object| object.kind() == "Job").unwrap();
    assert_eq!(job.0.pointer("/spec/template/spec/restartPolicy"), Some(&json!("Never")), "empty is absent");
}

#[test]
fn schedules_are_times() {
    let schedule = |text: &str| format!("schedules: {{s: {{schedule: {text}}}}}");
    let example = "hint: \"0 3 * * *\" is every night at three; @hourly, @daily and \"@every 2h\" are known, too";
    for (text, expected) in [
        (
            "every day",
            format!(
                "it is no schedule: it has 2 fields, and minute, hour, day of the month, month and day of the week are five\n  {example}"
            ),
        ),
        ("'@never'", format!("no schedule has this name\n  {example}")),
        (
            "0 25 * * *",
            "its hour is `25`, which is none\n  hint: 0 to 23, *, lists 1,2, ranges 1-5 and steps */2 can stand there"
                .to_owned(),
        ),
        (
            "CRON_TZ=Etc/UTC 0 3 * * *",
            "Kubernetes takes no time zone in a schedule\n  hint: set `cronjob.timeZone`, such as Etc/UTC".to_owned(),
        ),
    ] {
        assert_eq!(errors(CRONJOB, &schedule(text)), format!("/schedules/s/schedule: {expected}"), "§7.7: {text}");
    }
    let of = |cronjob: &str| format!("{{{}, cronjob: {cronjob}}}", schedule("'@daily'"));
    let zone = "is no time zone\n  hint: give its name in the database, such as Etc/UTC";
    check_errors(
        CRONJOB,
        &[
            ("§6.1", &of("{timeZone: Local}"), &format!("/cronjob/timeZone: `Local` {zone}")),
            ("§6.1", &of("{timeZone: 'Mean Time'}"), &format!("/cronjob/timeZone: `Mean Time` {zone}")),
            (
                "§6.1",
                &of("{concurrencyPolicy: forbid}"),
                "/cronjob/concurrencyPolicy: `forbid` is none of Allow, Forbid and Replace\n  hint: did you mean `Forbid`?",
            ),
            (
                "§6.1",
                &of("{failedJobsHistoryLimit: -2}"),
                "/cronjob/failedJobsHistoryLimit: `-2` is no whole number of 0 or more",
            ),
        ],
    );
    assert!(rendered(CRONJOB, &module(&of("{timeZone: America/Argentina/La_Rioja}")), &Injected::default()).is_ok());
}

#[test]
fn containers_have_values_that_kubernetes_takes() {
    let quantity = "is no quantity\n  hint: a number and its unit, such as 500m, 0.5 or 128Mi";
    let quoted = "is no text\n  hint: put it in quotes";
    let port = "is no port\n  hint: a number from 1 to 65535, or the name of a port of the container";
    for (field, expected) in [
        (
            "imagePullPolicy: Allways",
            "imagePullPolicy: `Allways` is none of Always, IfNotPresent and Never\n  hint: did you mean `Always`?".to_owned(),
        ),
        (
            "imagePullPolicy: sometimes",
            "imagePullPolicy: `sometimes` is none of Always, IfNotPresent and Never".to_owned(),
        ),
        ("tty: maybe", "tty: `maybe` is neither true nor false".to_owned()),
        ("command: run", "command: `run` is no list of texts\n  hint: such as [sh, -c]".to_owned()),
        ("args: [--port, 80]", format!("args: `80` in it {quoted}")),
        ("workingDir: 7", format!("workingDir: `7` {quoted}")),
        (
            "ports: [{containerPort: 80, protocol: HTTP}]",
            "ports/0/protocol: `HTTP` is none of TCP, UDP and SCTP".to_owned(),
        ),
        ("ports: [{containerPort: 0}]", "ports/0/containerPort: `0` is no whole number from 1 to 65535".to_owned()),
        ("ports: {web: 80}", "ports: a mapping is no list".to_owned()),
        ("resources: {limits: {memory: lots}}", format!("resources/limits/memory: `lots` {quantity}")),
        ("resources: {requests: {cpu: 1 core}}", format!("resources/requests/cpu: `1 core` {quantity}")),
        ("resources: {limits: {memory: 128MB}}", format!("resources/limits/memory: `128MB` {quantity}")),
        ("resources: {limits: {cpu: -1}}", "resources/limits/cpu: `-1` is less than nothing".to_owned()),
        ("resources: {limits: 1}", "resources/limits: it is no mapping".to_owned()),
        (
            "resources: {limits: {memory: 0.5Gi}, requests: {memory: 1Gi}}",
            "resources/requests/memory: `1Gi` is more than the limit, which is `0.5Gi`\n  hint: lower it, or raise the limit"
                .to_owned(),
        ),
        ("liveness_probe: {type: tcp, port: 70000}", format!("liveness_probe/port: `70000` {port}")),
        ("liveness_probe: {type: tcp, port: Web}", format!("liveness_probe/port: `Web` {port}")),
        (
            "liveness_probe: {type: grpc, port: web}",
            "liveness_probe/port: `web` is no whole number from 1 to 65535".to_owned(),
        ),
        (
            "readiness_probe: {type: http, port: 80, scheme: ftp}",
            "readiness_probe/scheme: `FTP` is none of HTTP and HTTPS".to_owned(),
        ),
        (
            "readiness_probe: {type: tcp, port: 80, periodSeconds: 0}",
            "readiness_probe/periodSeconds: `0` is no whole number of 1 or more".to_owned(),
        ),
        (
            "startup_probe: {type: tcp, port: 80, initialDelaySeconds: -1}",
            "startup_probe/initialDelaySeconds: `-1` is no whole number of 0 or more".to_owned(),
        ),
        (
            "readiness_probe: {type: tcp, port: 80, failureThreshold: few}",
            "readiness_probe/failureThreshold: `few` is no whole number of 1 or more".to_owned(),
        ),
        (
            "liveness_probe: {type: tcp, port: 80, successThreshold: 2}",
            "liveness_probe/successThreshold: Kubernetes takes no more than 1 here\n  hint: a readiness probe may have more"
                .to_owned(),
        ),
        ("readiness_probe: {httpGet: {port: 0}}", format!("readiness_probe/httpGet/port: `0` {port}")),
        ("livenessProbe: {tcpSocket: {port: -1}}", format!("livenessProbe/tcpSocket/port: `-1` {port}")),
        (
            "livenessProbe: {tcpSocket: {port: 1}, timeoutSeconds: 0}",
            "livenessProbe/timeoutSeconds: `0` is no whole number of 1 or more".to_owned(),
        ),
        (
            "lifecycle: {preStop: {type: command, command: stop}}",
            "lifecycle/preStop/command: `stop` is no list of texts\n  hint: such as [sh, -c]".to_owned(),
        ),
    ] {
        assert_eq!(errors(MODULE, &web(field)), format!("/containers/web/{expected}"), "§6.2, §6.3: {field}");
    }
    for field in [
        "resources: {limits: {memory: 0.1Gi, cpu: 1}, requests: {memory: 102.4Mi, cpu: '1'}}",
        "resources: {limits: {nvidia.com/gpu: '1'}}",
        "readiness_probe: {type: tcp, port: '80', successThreshold: '2'}",
        "stdin: 'true'",
        "imagePullPolicy: ''",
        "ports: [{containerPort: 80, hostPort: 0}]",
        "novelty: -1",
    ] {
        ok(MODULE, &web(field));
    }
}

#[test]
fn pods_have_values_that_kubernetes_takes() {
    check_errors(
        MODULE,
        &[
            ("§6.1", "priority: high", "/priority: `high` is no whole number of -2147483648 or more"),
            ("§6.1", "hostNetwork: 1", "/hostNetwork: `1` is neither true nor false"),
            (
                "§6.1",
                "pod: {terminationGracePeriodSeconds: soon}",
                "/pod/terminationGracePeriodSeconds: `soon` is no whole number of 0 or more",
            ),
            (
                "§6.1",
                "pod: {dnsPolicy: Cluster}",
                "/pod/dnsPolicy: `Cluster` is none of ClusterFirst, ClusterFirstWithHostNet, Default and None",
            ),
            (
                "§6.1",
                "volumes: {tmp: {type: emptyDir, source: {sizeLimit: big}}}",
                "/volumes/tmp/source/sizeLimit: `big` is no quantity\n  hint: a number and its unit, such as 500m, 0.5 or 128Mi",
            ),
        ],
    );
}

#[test]
fn a_long_value_is_cut_in_its_message() {
    let found = errors(MODULE, &format!("replicas: '{}é'", "x".repeat(200)));
    assert_eq!(found, format!("/replicas: `{}…` is no whole number of 0 or more", "x".repeat(60)));
}

#[test]
fn what_is_told_as_a_secret_is_not_told_again() {
    let secret = "{$secretRef: {store: s, ref: r}}";
    let found = errors(MODULE, &format!("replicas: {secret}"));
    assert!(found.contains("a secret, or a field of the Pod, cannot stand here"), "{found}");
    assert_eq!(found.matches("/replicas").count(), 1, "{found}");
}

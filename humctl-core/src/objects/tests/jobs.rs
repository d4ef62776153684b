//! Jobs and `CronJobs`.

use super::*;

/// The only object of a kind.
fn only(rendered: &Rendered, kind: &str) -> Object {
    let mut found = rendered.objects.iter().filter(|object| object.kind() == kind);
    let object = found.next().unwrap_or_else(|| panic!("no {kind}"));
    assert_eq!(found.next(), None);
    object.clone()
}

#[test]
fn a_job_is_named_after_what_cannot_change() {
    let job = |text: &str| only(&ok(JOB, text), "Job");
    let (first, name) = (job("{}"), job("{}").name().to_owned());
    let (workload, mark) = name.rsplit_once('-').unwrap();
    assert_eq!((workload, mark.len()), ("shop", 8), "§7.7");
    assert!(mark.bytes().all(|b| b.is_ascii_hexdigit()));
    for (chapter, text, is_same) in [
        ("§7.7 the same", "{}", true),
        ("§7.7 another image", "containers: {web: {image: other}}", false),
        ("§7.7 another variable", "containers: {web: {variables: {A: b}}}", false),
        ("§7.7 another secret", "containers: {web: {variables: {A: {$secretRef: {store: s, ref: r}}}}}", false),
        ("§7.7 its template", "pod: {priority: 1}", false),
        ("§7.7 fixed for Kubernetes", "job: {completions: 2}", false),
        ("§7.7 may change", "job: {suspend: true, parallelism: 2, backoffLimit: 1, ttlSecondsAfterFinished: 9}", true),
        ("§7.7 may change", "job: {labels: {a: b}}", true),
    ] {
        assert_eq!(job(text).name() == name, is_same, "{chapter}: {text}");
    }
    assert_eq!(first.0["apiVersion"], json!("batch/v1"));
    let long = named(&"w".repeat(63), JOB, &module("{}"), &Injected::default()).unwrap();
    assert!(names::is_label(only(&long, "Job").name()), "a Job's name is a label of its Pods");
}

#[test]
fn jobs_end() {
    for (chapter, text, pointer, expected) in [
        ("§7.7", "{}", "/spec/template/spec/restartPolicy", "Never"),
        ("§7.7", "pod: {restartPolicy: OnFailure}", "/spec/template/spec/restartPolicy", "OnFailure"),
        ("§7.7", "restartPolicy: OnFailure", "/spec/template/spec/restartPolicy", "OnFailure"),
        ("§7.7", "job: {backoffLimit: 0}", "/spec/backoffLimit", "0"),
        ("§7.7", "job: {labels: {a: b}, annotations: {c: d}}", "/metadata/labels/a", "b"),
        ("§7.7", "job: {labels: {a: b}, annotations: {c: d}}", "/metadata/annotations", "{c: d}"),
        ("§7.7", "{}", "/spec/selector", "null"),
    ] {
        assert_eq!(
            only(&ok(JOB, text), "Job").0.pointer(pointer).cloned().unwrap_or_default(),
            yaml(expected),
            "{chapter}: {text}"
        );
    }
    let with_ports = ok(JOB, "service: {ports: {www: {service_port: 80}}}");
    assert!(with_ports.objects.iter().all(|object| object.kind() != "Service"), "§7.7");
    check_errors(
        JOB,
        &[(
            "§6.1",
            "job: {template: {}}",
            "/job/template: Workload Profile job feature does not allow \"template\" to be set.",
        )],
    );
}

#[test]
fn each_schedule_is_a_cron_job() {
    let text = "{schedules: {night: {schedule: 0 3 * * *, containers: {web: {args: [full]}, first: {command: [go]}}}, \
                day: {schedule: '@hourly'}}, cronjob: {timeZone: Etc/UTC, labels: {a: b}, failedJobsHistoryLimit: '2'}, \
                job: {backoffLimit: 1, annotations: {c: d}}, \
                containers: {first: {before: {web: {ready: complete}}}, web: {args: [part], command: [run]}}}";
    let found = ok(CRONJOB, text);
    assert_eq!(
        listing(&found),
        ["ConfigMap shop-configmap-first", "ConfigMap shop-configmap-web", "CronJob shop-day", "CronJob shop-night"],
        "§7.7"
    );
    for (place, expected) in [
        ("CronJob shop-night /spec/schedule", "0 3 * * *"),
        ("CronJob shop-night /spec/timeZone", "Etc/UTC"),
        ("CronJob shop-night /spec/failedJobsHistoryLimit", "2"),
        ("CronJob shop-night /metadata/labels/a", "b"),
        ("CronJob shop-night /spec/jobTemplate/metadata", "{annotations: {c: d}}"),
        ("CronJob shop-night /spec/jobTemplate/spec/backoffLimit", "1"),
        ("CronJob shop-night /spec/jobTemplate/spec/template/spec/restartPolicy", "Never"),
        ("CronJob shop-night /spec/jobTemplate/spec/template/spec/containers/0/args", "[full]"),
        ("CronJob shop-night /spec/jobTemplate/spec/template/spec/containers/0/command", "[run]"),
        ("CronJob shop-night /spec/jobTemplate/spec/template/spec/initContainers/0/command", "[go]"),
        ("CronJob shop-day /spec/jobTemplate/spec/template/spec/containers/0/args", "[part]"),
    ] {
        assert_eq!(at(&found, place), yaml(expected), "§7.7: {place}");
    }
}

#[test]
fn names_of_cron_jobs_leave_room_for_their_jobs() {
    let schedules = module("schedules: {night: {schedule: '@daily'}, Two_Words: {schedule: '@daily'}}");
    for name in ["shop".to_owned(), "w".repeat(46), "w".repeat(47), "w".repeat(63)] {
        let found = named(&name, CRONJOB, &schedules, &Injected::default()).unwrap();
        let names: Vec<&str> =
            found.objects.iter().filter(|object| object.kind() == "CronJob").map(Object::name).collect();
        assert_eq!(names.len(), 2);
        assert_ne!(names[0], names[1]);
        for found in names {
            assert!(found.len() <= 52 && names::is_label(found), "§7.7, §10: {found}");
        }
        let is_whole = found.objects.iter().any(|object| object.name() == format!("{name}-night"));
        assert_eq!(is_whole, name.len() + "-night".len() <= 52, "§7.7: {name}");
    }
}

#[test]
fn schedules_that_cannot_be_are_refused() {
    let of = "/schedules/s";
    check_errors(
        CRONJOB,
        &[
            ("§7.7", "{}", "/schedules: At least one schedule must be defined"),
            ("§7.7", "schedules: {}", "/schedules: At least one schedule must be defined"),
            ("§7.7", "schedules: {s: {}}", &format!("{of}: it has no `schedule`, such as \"0 3 * * *\"")),
            ("§7.7", "schedules: {s: daily}", &format!("{of}: it is no mapping with a `schedule`")),
            (
                "§7.7",
                "schedules: {s: {schedule: '@daily', containers: {api: {args: []}}}}",
                &format!("{of}/containers/api: there is no container `api`"),
            ),
            (
                "§7.7",
                "schedules: {s: {schedule: '@daily', containers: {web: now}}}",
                &format!("{of}/containers/web: it is no mapping with `command` and `args`"),
            ),
            (
                "§6.1",
                "{schedules: {s: {schedule: '@daily'}}, cronjob: {jobTemplate: {}}}",
                "/cronjob/jobTemplate: Workload Profile cronjob feature does not allow \"jobTemplate\" to be set.",
            ),
        ],
    );
    check_warnings(
        CRONJOB,
        &[(
            "§6.1",
            "schedules: {s: {schedule: '@daily', timeZone: Etc/UTC, containers: {web: {image: other}}}}",
            &format!(
                "{of}/containers/web/image: a schedule changes `command` and `args` of a container only\n\
                 {of}/timeZone: a schedule has no such field\n  hint: `cronjob` has fields of all"
            ),
        )],
    );
}

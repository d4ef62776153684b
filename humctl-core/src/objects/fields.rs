//! Which values Kubernetes takes in the fields that are well known.
//!
//! A cluster refuses any other value, or takes it and never runs a Pod; whoever
//! wrote it hears of it here, with its place in the Workload. What is not listed
//! goes through as it is: Kubernetes knows more fields with every version.

use serde_json::Value;

use crate::decode::nearest;
use crate::objects::report::{Report, inside, number};

/// Fields of a mapping, and what they take.
pub(super) type Rules = &'static [(&'static str, Rule)];

/// What a field takes.
#[derive(Debug)]
pub(super) enum Rule {
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// True or false.
    Flag,
    /// One of these words; with a hint, for where the words do not say enough.
    Word(&'static [&'static str], &'static str),
    /// A count of Pods, or a part of them.
    Share,
    /// The number of a port, or the name of one.
    Port,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// The name of a time zone.
    TimeZone,
    /// A mapping with these fields.
    Within(Rules),
    /// A list of mappings with these fields.
    Each(Rules),
    /// A probe in the form of Kubernetes.
    Probe,
}

use Rule::{Each, Flag, Port, Probe, Share, Text, Texts, TimeZone, Whole, Within, Word};

/// The largest number of most fields.
const MAX: i64 = i32::MAX as i64;
const PORT: Rule = Whole(1, 65535);
const PROTOCOL: Rule = Word(&["TCP", "UDP", "SCTP"], "");

/// Fields of a Deployment's spec.
pub(super) const DEPLOYMENT: Rules = &[
    ("minReadySeconds", Whole(0, MAX)),
    ("paused", Flag),
    ("progressDeadlineSeconds", Whole(0, MAX)),
    ("replicas", Whole(0, MAX)),
    ("revisionHistoryLimit", Whole(0, MAX)),
    (
        "strategy",
        Within(&[
            ("type", Word(&["RollingUpdate", "Recreate"], "")),
            ("rollingUpdate", Within(&[("maxSurge", Share), ("maxUnavailable", Share)])),
        ]),
    ),
];

/// Fields of a Job's spec.
pub(super) const JOB: Rules = &[
    ("activeDeadlineSeconds", Whole(1, i64::MAX)),
    ("backoffLimit", Whole(0, MAX)),
    ("backoffLimitPerIndex", Whole(0, MAX)),
    ("completionMode", Word(&["NonIndexed", "Indexed"], "")),
    ("completions", Whole(0, MAX)),
    ("maxFailedIndexes", Whole(0, MAX)),
    ("parallelism", Whole(0, MAX)),
    ("podReplacementPolicy", Word(&["TerminatingOrFailed", "Failed"], "")),
    ("suspend", Flag),
    ("ttlSecondsAfterFinished", Whole(0, MAX)),
];

/// Fields of a `CronJob`'s spec.
pub(super) const CRON_JOB: Rules = &[
    ("concurrencyPolicy", Word(&["Allow", "Forbid", "Replace"], "")),
    ("failedJobsHistoryLimit", Whole(0, MAX)),
    ("startingDeadlineSeconds", Whole(0, i64::MAX)),
    ("successfulJobsHistoryLimit", Whole(0, MAX)),
    ("suspend", Flag),
    ("timeZone", TimeZone),
];

/// Fields of a Pod's spec.
pub(super) const POD: Rules = &[
    ("activeDeadlineSeconds", Whole(1, MAX)),
    ("automountServiceAccountToken", Flag),
    ("dnsPolicy", Word(&["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"], "")),
    ("enableServiceLinks", Flag),
    ("hostIPC", Flag),
    ("hostNetwork", Flag),
    ("hostPID", Flag),
    ("preemptionPolicy", Word(&["PreemptLowerPriority", "Never"], "")),
    ("priority", Whole(-MAX - 1, MAX)),
    ("setHostnameAsFQDN", Flag),
    ("shareProcessNamespace", Flag),
    ("terminationGracePeriodSeconds", Whole(0, i64::MAX)),
];

/// `restartPolicy` of a Pod that always runs.
pub(super) const RESTART_ALWAYS: Rule = Word(
    &["Always"],
    "the Pods of a Deployment run until they are replaced; what ends has the profile humanitec/default-job",
);

/// `restartPolicy` of a Pod that ends.
pub(super) const RESTART_JOB: Rule =
    Word(&["Never", "OnFailure"], "a Job ends; what runs on has the profile humanitec/default-module");

/// Fields of a container.
pub(super) const CONTAINER: Rules = &[
    ("args", Texts),
    ("command", Texts),
    ("imagePullPolicy", Word(&["Always", "IfNotPresent", "Never"], "")),
    ("livenessProbe", Probe),
    ("ports", Each(&[("containerPort", PORT), ("hostPort", Whole(0, 65535)), ("name", Text), ("protocol", PROTOCOL)])),
    ("readinessProbe", Probe),
    ("startupProbe", Probe),
    ("stdin", Flag),
    ("stdinOnce", Flag),
    ("terminationMessagePath", Text),
    ("terminationMessagePolicy", Word(&["File", "FallbackToLogsOnError"], "")),
    ("tty", Flag),
    ("workingDir", Text),
];

/// How often and how long a probe looks.
pub(super) const PROBE: Rules = &[
    ("failureThreshold", Whole(1, MAX)),
    ("initialDelaySeconds", Whole(0, MAX)),
    ("periodSeconds", Whole(1, MAX)),
    ("successThreshold", Whole(1, MAX)),
    ("terminationGracePeriodSeconds", Whole(1, i64::MAX)),
    ("timeoutSeconds", Whole(1, MAX)),
];

/// What probes and hooks do, as Kubernetes calls it.
pub(super) const ACTIONS: Rules =
    &[("exec", Within(EXEC)), ("grpc", Within(GRPC)), ("httpGet", Within(HTTP_GET)), ("tcpSocket", Within(TCP_SOCKET))];

pub(super) const EXEC: Rules = &[("command", Texts)];
pub(super) const GRPC: Rules = &[("port", PORT), ("service", Text)];
pub(super) const HTTP_GET: Rules =
    &[("host", Text), ("path", Text), ("port", Port), ("scheme", Word(&["HTTP", "HTTPS"], ""))];
pub(super) const TCP_SOCKET: Rules = &[("host", Text), ("port", Port)];

/// A field on its way into an object, as it has to be there. What it does not
/// take is reported.
pub(super) fn field(rules: Rules, key: &str, value: Value, pointer: &str, report: &mut Report) -> Value {
    match rules.iter().find(|(known, _)| *known == key) {
        Some((_, rule)) => rule.apply(value, pointer, report),
        None => value,
    }
}

fn mapping(tables: &[Rules], value: Value, pointer: &str, report: &mut Report) -> Value {
    let Value::Object(fields) = value else {
        report.error(pointer, "it is no mapping");
        return value;
    };
    let apply = |(key, value): (String, Value)| {
        let pointer = inside(pointer, &key);
        let value = tables.iter().fold(value, |value, rules| field(rules, &key, value, &pointer, report));
        (key, value)
    };
    fields.into_iter().map(apply).collect()
}

impl Rule {
    /// A value as it has to be. One that is null is absent, or is reported already.
    pub(super) fn apply(&self, value: Value, pointer: &str, report: &mut Report) -> Value {
        match (self, value) {
            (_, Value::Null) => Value::Null,
            (Within(rules), value) => mapping(&[rules], value, pointer, report),
            (Probe, value) => mapping(&[ACTIONS, PROBE], value, pointer, report),
            (Each(rules), Value::Array(items)) => {
                let items = items.into_iter().enumerate();
                let apply = |(index, item): (usize, Value)| {
                    mapping(&[rules], item, &inside(pointer, &index.to_string()), report)
                };
                items.map(apply).collect()
            }
            (_, value) => {
                let value = self.read(value);
                if let Some(problem) = self.problem(&value) {
                    report.error(pointer, problem);
                }
                value
            }
        }
    }

    /// What came as text, as every Shared Value does.
    fn read(&self, value: Value) -> Value {
        match self {
            Whole(..) | Share | Port => number(value),
            Flag => match value.as_str() {
                Some("true") => Value::Bool(true),
                Some("false") => Value::Bool(false),
                _ => value,
            },
            _ => value,
        }
    }

    fn problem(&self, value: &Value) -> Option<String> {
        let found = shown(value);
        match self {
            Whole(least, most) => {
                let is_whole = value.as_i64().is_some_and(|number| (*least..=*most).contains(&number));
                let is_too_large = value.as_f64().is_some_and(|number| number > i32::MAX.into());
                (!is_whole).then(|| match *most {
                    MAX.. if !is_too_large => format!("{found} is no whole number of {least} or more"),
                    most => format!("{found} is no whole number from {least} to {most}"),
                })
            }
            Flag => (!value.is_boolean()).then(|| format!("{found} is neither true nor false")),
            Word(words, hint) => {
                let word = value.as_str().unwrap_or_default();
                // An empty text is as good as absent for Kubernetes.
                let is_known = words.contains(&word) || *value == "";
                (!is_known).then(|| {
                    let hint = match nearest(word, words.iter().copied()) {
                        _ if !hint.is_empty() => format!("\n  hint: {hint}"),
                        Some(near) => format!("\n  hint: did you mean `{near}`?"),
                        None => String::new(),
                    };
                    let others = match words {
                        [only] => format!("not {only}"),
                        [others @ .., last] => format!("none of {} and {last}", others.join(", ")),
                        [] => String::new(),
                    };
                    format!("{found} is {others}{hint}")
                })
            }
            Share => {
                let percent = value.as_str().and_then(|text| text.strip_suffix('%'));
                let is_share = match percent {
                    Some(digits) => !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()),
                    None => value.as_i64().is_some_and(|number| (0..=MAX).contains(&number)),
                };
                (!is_share).then(|| format!("{found} is no number of Pods\n  hint: such as 1, or \"25%\""))
            }
            Port => (!is_port(value) && !value.as_str().is_some_and(is_port_name)).then(|| {
                format!("{found} is no port\n  hint: a number from 1 to 65535, or the name of a port of the container")
            }),
            Text => (!value.is_string()).then(|| format!("{found} is no text\n  hint: put it in quotes")),
            Texts => {
                let texts = value.as_array();
                match texts.and_then(|texts| texts.iter().find(|text| !text.is_string())) {
                    Some(other) => Some(format!("{} in it is no text\n  hint: put it in quotes", shown(other))),
                    None if texts.is_none() => Some(format!("{found} is no list of texts\n  hint: such as [sh, -c]")),
                    None => None,
                }
            }
            TimeZone => (!value.as_str().is_some_and(is_time_zone))
                .then(|| format!("{found} is no time zone\n  hint: give its name in the database, such as Etc/UTC")),
            Each(_) => Some(format!("{found} is no list")),
            Within(_) | Probe => None,
        }
    }
}

/// True for the number of a port.
pub(super) fn is_port(number: &Value) -> bool {
    number.as_u64().is_some_and(|number| (1..=65535).contains(&number))
}

/// True for what a port of a container can be called.
pub(super) fn is_port_name(name: &str) -> bool {
    let is_part = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= 15
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && name.split('-').all(|part| !part.is_empty() && is_part(part))
}

/// Kubernetes looks it up, and takes no `Local`: nobody knows where that is.
fn is_time_zone(name: &str) -> bool {
    let is_part = |part: &str| {
        (1..=14).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+'))
            && part != ".."
    };
    !name.eq_ignore_ascii_case("local") && name.split('/').all(is_part)
}

/// A value in a message, which is about where it stands and so can be short.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        Value::String(text) => {
            let cut: String = text.escape_debug().take(LONGEST).collect();
            format!("`{cut}{}`", if text.chars().count() > LONGEST { "…" } else { "" })
        }
        other => format!("`{other}`"),
    }
}

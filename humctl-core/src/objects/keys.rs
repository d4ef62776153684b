//! Which keys a module may have (spec/score.md §6.1): nothing vanishes without a word.

use serde_json::{Map, Value};

use crate::decode::nearest;
use crate::objects::report::{Report, inside};
use crate::objects::{controller, pod};

/// Keys of every profile, beside the old ones of a Pod.
const ALL: &[&str] = &[
    "annotations",
    "containers",
    "extraContainers",
    "extraObjects",
    "extraVolumes",
    "imagePullSecrets",
    "labels",
    "pod",
    "serviceAccount",
    "serviceAccountName",
    "variables",
    "volumes",
];

/// Tells of keys that nothing is made of.
pub(super) fn check(module: &Map<String, Value>, profile: &str, report: &mut Report) {
    let of_profile: &[&str] = match profile {
        "default-job" => &["job"],
        "default-cronjob" => &["cronjob", "job", "schedules"],
        _ => &["deployment", "service"],
    };
    let legacy = if of_profile.contains(&"deployment") { controller::LEGACY } else { &[] };
    let known = || [ALL, of_profile, legacy, pod::LEGACY].concat();
    for key in module.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key) {
        let pointer = inside("", key);
        match key.as_str() {
            key if known().contains(&key) => {}
            "ingress" => report.warn(
                &pointer,
                "no Ingress is made of it any more\n  hint: declare a resource of type `route` for each of its paths",
            ),
            "service" => report.warn(
                &pointer,
                format!("a Workload of the profile humanitec/{profile} has no Service\n  hint: take it out"),
            ),
            key => {
                let hint = nearest(key, known())
                    .map_or_else(|| "is it below `pod`, perhaps?".to_owned(), |near| format!("did you mean `{near}`?"));
                report.warn(&pointer, format!("the profile humanitec/{profile} makes nothing of it\n  hint: {hint}"));
            }
        }
    }
}

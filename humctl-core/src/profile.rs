//! Workload Profiles by name (spec/score.md §6.1, §9 row 73).
//!
//! A profile is a chart that the Operator renders. Those of the platform are
//! known; of an Organization's own this Orchestrator keeps none, and checks the
//! form of the name alone.

use crate::decode::nearest;

/// Runs schedules.
pub const CRONJOB: &str = "humanitec/default-cronjob";
/// Profiles that run to an end, and have no `service`.
pub const JOBS: &[&str] = &["humanitec/default-job", CRONJOB];
/// Every profile of the platform.
const PLATFORM: &[&str] = &["humanitec/default-module", "humanitec/default-job", CRONJOB];

/// What a name says about its profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// One of the platform, which is there.
    Platform,
    /// One of an Organization: whether it is there shows in the cluster.
    Own,
    /// None that could be there, with what may have been meant.
    Unknown {
        /// A name to try.
        hint: String,
    },
}

impl Profile {
    /// Reads a name: `ORG/ID`, or `ID` alone; an empty one is the default profile.
    #[must_use]
    pub fn named(name: &str) -> Self {
        if name.is_empty() || PLATFORM.contains(&name) {
            return Self::Platform;
        }
        let parts: Vec<&str> = name.split('/').collect();
        let is_own = parts.len() <= 2 && parts.iter().all(|part| is_id(part)) && !name.starts_with("humanitec/");
        if is_own {
            return Self::Own;
        }
        let hint = match nearest(name, PLATFORM.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}, and an Organization's own as ORG/ID", PLATFORM.join(", ")),
        };
        Self::Unknown { hint }
    }
}

fn is_id(text: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(is_edge) && text.ends_with(is_edge) && text.chars().all(|c| is_edge(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_profile_it_is() {
        let unknown = |hint: &str| Profile::Unknown { hint: hint.to_owned() };
        for (name, expected) in [
            ("", Profile::Platform),
            ("humanitec/default-module", Profile::Platform),
            ("humanitec/default-cronjob", Profile::Platform),
            ("my-org/rollouts", Profile::Own),
            ("rollouts", Profile::Own),
            ("humanitec/default-jobs", unknown("did you mean `humanitec/default-job`?")),
            (
                "humanitec/stateful",
                unknown(
                    "known are humanitec/default-module, humanitec/default-job, humanitec/default-cronjob, and an \
                     Organization's own as ORG/ID",
                ),
            ),
        ] {
            assert_eq!(Profile::named(name), expected, "{name}");
        }
        for name in ["a/b/c", "my-org/", "/x", "My-Org/x", "a b"] {
            assert!(matches!(Profile::named(name), Profile::Unknown { .. }), "{name}");
        }
    }
}

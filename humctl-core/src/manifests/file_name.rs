//! Names of files: `<kind>-<name>.yaml`, and `<kind>-<namespace>.<name>.yaml`
//! outside of the Environment's namespace.
//!
//! What a file system, or one that does not tell upper from lower case, cannot
//! keep apart gets a mark: a hash of everything that makes the object unique.

use std::collections::BTreeMap;

use crate::hash;
use crate::manifests::check::ObjectId;

/// Longest name of a file.
pub(super) const MAX_BYTES: usize = 200;

const EXTENSION: &str = ".yaml";

/// Length of the mark: none, a short one, and the whole hash for those whose
/// name somebody else has, short mark included.
const MARKS: [usize; 3] = [0, 8, 64];

/// The names of the files of objects, none of them twice.
pub(super) fn file_names(ids: &[&ObjectId]) -> Vec<String> {
    let mut levels = vec![0; ids.len()];
    loop {
        let names: Vec<String> = ids.iter().zip(&levels).map(|(id, level)| file_name(id, MARKS[*level])).collect();
        let mut n_users: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &names {
            *n_users.entry(name).or_default() += 1;
        }
        let mut has_changes = false;
        for (name, level) in names.iter().zip(&mut levels) {
            if n_users[name.as_str()] > 1 && *level + 1 < MARKS.len() {
                *level += 1;
                has_changes = true;
            }
        }
        if !has_changes {
            return names;
        }
    }
}

fn file_name(id: &ObjectId, mark: usize) -> String {
    let ObjectId { group, kind, namespace, name } = id;
    let namespace_part = namespace.as_ref().map(|namespace| format!("{namespace}.")).unwrap_or_default();
    // Only of the kind is it known that case tells nothing.
    let wanted = format!("{}-{namespace_part}{name}", kind.to_ascii_lowercase());
    let clean: String =
        wanted.chars().map(|c| c.to_ascii_lowercase()).map(|c| if is_plain(c) { c } else { '-' }).collect();
    let is_whole = clean == wanted && clean.len() + EXTENSION.len() <= MAX_BYTES;
    if is_whole && mark == 0 {
        return format!("{clean}{EXTENSION}");
    }
    let whole = [group.as_str(), kind, namespace.as_deref().unwrap_or_default(), name].join("\0");
    let mark = &hash::sha256_hex(whole.as_bytes())[..mark.max(MARKS[1])];
    let room = MAX_BYTES - EXTENSION.len() - mark.len() - 1;
    let cut: String = clean.chars().take(room).collect();
    format!("{cut}-{mark}{EXTENSION}")
}

fn is_plain(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn id(text: &str) -> ObjectId {
        let parts: Vec<&str> = text.split('|').collect();
        ObjectId {
            group: parts[0].to_owned(),
            kind: parts[1].to_owned(),
            namespace: Some(parts[2].to_owned()).filter(|namespace| !namespace.is_empty()),
            name: parts[3].to_owned(),
        }
    }

    fn names(ids: &[&str]) -> Vec<String> {
        let ids: Vec<ObjectId> = ids.iter().map(|text| id(text)).collect();
        file_names(&ids.iter().collect::<Vec<_>>())
    }

    #[test]
    fn names_say_what_is_in_the_file() {
        for (given, expected) in [
            ("apps|Deployment||web", "deployment-web.yaml"),
            ("|ConfigMap|other|a.b", "configmap-other.a.b.yaml"),
            ("rbac.authorization.k8s.io|ClusterRole||system:view", "clusterrole-system-view-#.yaml"),
            ("|ConfigMap||Web", "configmap-web-#.yaml"),
            ("|ConfigMap||../../x", "configmap-..-..-x-#.yaml"),
        ] {
            let mark = &hash::sha256_hex(given.replace('|', "\0").as_bytes())[..8];
            assert_eq!(names(&[given]), [expected.replace('#', mark)], "{given}");
        }
        let long = names(&[&format!("|ConfigMap||{}", "x".repeat(253))]);
        assert_eq!(long[0].len(), MAX_BYTES);
    }

    #[test]
    fn names_that_meet_get_marks() {
        for ids in [
            ["|Service||web", "serving.knative.dev|Service||web"],
            ["|ConfigMap|a|b.c", "|ConfigMap||a.b.c"],
            ["|ConfigMap||web", "|configMap||web"],
        ] {
            let found = names(&ids);
            assert_ne!(found[0], found[1]);
            assert!(found.iter().all(|name| name.len() > "service-web.yaml".len()), "both have a mark: {found:?}");
        }
        // Somebody may call an object what our mark makes of another.
        let marked = names(&["|Service||web", "a|Service||web"])[0].clone();
        let squatter = marked.trim_start_matches("service-").trim_end_matches(EXTENSION);
        let found = names(&["|Service||web", "a|Service||web", &format!("|Service||{squatter}")]);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 3, "{found:?}");
    }

    proptest! {
        #[test]
        fn names_are_valid_and_unique(
            ids in proptest::collection::btree_set("(a|b.c|)\\|(Service|service|Secret)\\|(a|a.b|)\\|([ab.A:]{1,3}|\\PC{1,9}|x{150,260})", 1..12)
        ) {
            let ids: Vec<ObjectId> = ids.iter().filter(|text| text.split('|').count() == 4).map(|text| id(text)).collect();
            let found = file_names(&ids.iter().collect::<Vec<_>>());
            let distinct: BTreeSet<String> = found.iter().map(|name| name.to_lowercase()).collect();
            prop_assert_eq!(distinct.len(), ids.len());
            for name in &found {
                prop_assert!(name.len() <= MAX_BYTES && name.ends_with(EXTENSION), "{}", name);
                prop_assert!(name.starts_with('s') && name.chars().all(is_plain), "{}", name);
            }
        }
    }
}

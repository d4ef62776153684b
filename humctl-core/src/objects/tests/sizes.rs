//! How much fits into one `ConfigMap` or Secret (spec/score.md §10).

use super::*;

const KIB: usize = 1024;

/// A file of so many bytes in each of the containers `a`, `b` …
fn files(n_bytes: &[usize]) -> Value {
    let containers: Map<String, Value> = n_bytes
        .iter()
        .zip(["aa", "bb", "cc", "dd", "ee", "ff"])
        .map(|(n_bytes, name)| {
            let file = json!({"value": "x".repeat(*n_bytes)});
            (name.to_owned(), json!({"image": "img", "files": {"/big": file}}))
        })
        .collect();
    json!({ "containers": containers })
}

#[test]
fn more_than_fits_is_refused_with_its_files() {
    for (n_bytes, expected) in [
        (vec![512 * KIB, 512 * KIB], None),
        (
            vec![512 * KIB, 512 * KIB + 1],
            Some(
                "these have 1048577 bytes, and a ConfigMap holds 1048576: `/big` of container `bb` with 524289, `/big` of \
                 container `aa` with 524288\n  hint: move large ones into the image or a volume",
            ),
        ),
        (
            vec![1024 * KIB + 5, 5, 4, 3, 2, 1],
            Some(
                "these have 1048596 bytes, and a ConfigMap holds 1048576: `/big` of container `aa` with 1048581, `/big` of \
                 container `bb` with 5, `/big` of container `cc` with 4, `/big` of container `dd` with 3, `/big` of \
                 container `ee` with 2 and 1 more\n  hint: move large ones into the image or a volume",
            ),
        ),
    ] {
        let found = rendered(MODULE, &files(&n_bytes), &Injected::default());
        let message = found.as_ref().err().map(|errors| errors[0].message.as_str());
        assert_eq!(message, expected, "{n_bytes:?}");
    }
}

#[test]
fn much_is_told() {
    for (n_bytes, is_told) in [(768 * KIB - 1, false), (768 * KIB, true), (1024 * KIB, true)] {
        let found = rendered(MODULE, &files(&[n_bytes]), &Injected::default()).unwrap();
        assert_eq!(!found.warnings.is_empty(), is_told, "{n_bytes}");
    }
}

#[test]
fn variables_bytes_and_secrets_count_as_well() {
    let big = "x".repeat(1024 * KIB + 1);
    let reference = json!({"$secretRef": {"store": "s", "ref": "r"}});
    for (web, start) in [
        (json!({"variables": {"A": big}}), "these have 1048577 bytes, and a ConfigMap holds 1048576: `A` with 1048577"),
        (
            json!({"variables": {"A": {"$concat": [big, reference]}}}),
            "these have 1048577 bytes, and a Secret holds 1048576: `A` with 1048577",
        ),
        (
            json!({"files": {"/f": {"value": {"$concat": [big, reference]}}}}),
            "these have 1048577 bytes, and a Secret holds 1048576: `/f` of container `web` with 1048577",
        ),
        (
            json!({"files": {"/f": {"binary_value": format!("{}AA==", "AAAA".repeat(1024 * KIB / 3 + 1))}}}),
            "these have 1048579 bytes, and a ConfigMap holds 1048576: `/f` of container `web` with 1048579",
        ),
    ] {
        let mut web = web;
        web["image"] = json!("img");
        let errors = rendered(MODULE, &json!({"containers": {"web": web}}), &Injected::default()).unwrap_err();
        assert!(errors[0].message.starts_with(start), "{}", errors[0].message);
    }
}

//! What holds whatever comes in.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn any_object() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z{}$\"\n ]{0,8}".prop_map(Value::from),
        ("(s|t)", "(a|b)").prop_map(|(store, name)| secret_ref(&store, &name)),
        ("[{}a]{0,3}", "(s|t)").prop_map(|(text, store)| json!({"$concat": [text, secret_ref(&store, "x")]})),
    ];
    let kind = prop_oneof![
        Just(("v1", "ConfigMap", "data")),
        Just(("v1", "Secret", "stringData")),
        Just(("apps/v1", "StatefulSet", "spec")),
        Just(("acme.example/v1", "Secret", "spec")),
        Just(("rbac.authorization.k8s.io/v1", "ClusterRole", "rules")),
        Just(("v1", "List", "items")),
    ];
    (kind, "(a|b|A:|\u{e9})", prop_oneof![Just(None), Just(Some("shop-dev")), Just(Some("other"))], text).prop_map(
        |((version, kind, field), name, namespace, text)| {
            let metadata = json!({"name": name, "namespace": namespace, "uid": "1"});
            match kind {
                "List" => json!({"apiVersion": version, "kind": kind, "items": [config_map(&name), text]}),
                _ => json!({"apiVersion": version, "kind": kind, "metadata": metadata, field: {"k": text}}),
            }
        },
    )
}

fn any_manifest() -> impl Strategy<Value = ResourceManifest> {
    ("(a|b)", any::<bool>(), any::<bool>(), 0..3_u8, any_object()).prop_map(
        |(name, is_stateful, is_cluster, wave, object)| {
            let location = if is_cluster { Location::Cluster } else { Location::Namespace };
            ResourceManifest { location, is_stateful, wave: Wave(wave), ..manifest(&name, object) }
        },
    )
}

fn any_workload() -> impl Strategy<Value = WorkloadObjects> {
    ("(v|w)", proptest::collection::vec(any_object(), 0..3), "(x|y)", "[{}a]{0,3}", 0..3_u8).prop_map(
        |(workload, objects, name, text, wave)| {
            let parts = vec![Part::Plain(text), Part::Secret(json!({"store": "s", "ref": "r"}))];
            let secrets = vec![SecretKeys { name, keys: BTreeMap::from([("K".to_owned(), parts)]) }];
            let objects = objects.into_iter().map(Object).collect();
            WorkloadObjects { workload, objects, secrets, wave: Wave(wave) }
        },
    )
}

proptest! {
    #[test]
    fn the_order_of_what_comes_in_changes_nothing(
        (given, shuffled) in proptest::collection::vec(any_manifest(), 0..5)
            .prop_flat_map(|given| (Just(given.clone()), Just(given).prop_shuffle())),
        workloads in proptest::collection::vec(any_workload(), 0..3),
    ) {
        let context = context();
        let options = TargetOptions { allows_cluster_scoped: given.len() % 2 == 0, ..open(&context) };
        let turned: Vec<WorkloadObjects> = workloads.iter().rev().cloned().collect();
        let found = to_files(&workloads, &given, options);
        prop_assert_eq!(&to_files(&turned, &shuffled, options), &found);
        if let Err(errors) = found {
            prop_assert!(!errors.is_empty() && errors.is_sorted());
        }
    }

    #[test]
    fn files_are_named_once_and_read_back(given in proptest::collection::vec(any_manifest(), 0..4)) {
        // Errors of one must not hide the files of the others.
        let good: Vec<_> = given.into_iter().filter(|manifest| written(std::slice::from_ref(manifest)).is_ok()).collect();
        let Ok(found) = written(&good) else { return Ok(()) };
        prop_assert!(found.files.is_sorted_by(|a, b| a.name < b.name));
        let names: BTreeSet<String> = found.files.iter().map(|file| file.name.to_lowercase()).collect();
        prop_assert_eq!(names.len(), found.files.len());
        for file in &found.files {
            let object = read(file);
            prop_assert!(file.content.starts_with("apiVersion: ") && file.content.ends_with('\n'));
            prop_assert_eq!(&object["kind"], &json!(file.kind));
            prop_assert_eq!(&object["metadata"]["name"], &json!(file.object));
            prop_assert!(!file.content.contains("$secretRef") && !file.content.contains("$concat"));
            // What was written can be given again: nothing changes any more.
            let again = ResourceManifest { location: Location::Cluster, ..manifest("m", object) };
            prop_assert_eq!(&written(&[again]).unwrap().files[0].content, &file.content);
        }
    }
}

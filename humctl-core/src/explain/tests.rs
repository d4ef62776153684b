//! Explanations of small plans, whole.

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::id::{DeploymentId, SetId};
use humctl_api_types::set::DeploymentSet;
use humctl_api_types::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CandidateOutcome, Explainer, Explanation, Named};
use crate::builtin;
use crate::context::tests::{context, key};
use crate::graph::build::GraphInput;
use crate::graph::{ResourceTypes, SetIndex};
use crate::matching::Definitions;
use crate::matching::tests::definition;
use crate::plan::DeployContext;
use crate::preview::preview;
use crate::values::{SecretReference, SharedValue, SharedValues};

fn explained(own: &[ResourceDefinition], set: &Value, resource: &str, is_named: Named) -> Explanation {
    let (context, types) = (context(), builtin::resource_types());
    let mut definitions = builtin::definitions(&context.org, &Timestamp::default());
    definitions.extend_from_slice(own);
    let (definitions, types) = (Definitions::new(&definitions), ResourceTypes::new(&types));
    let set: DeploymentSet = serde_json::from_value(set.clone()).unwrap();
    let index = SetIndex::new(&set).unwrap();
    let secret = SecretReference { store: "vault".into(), reference: "shop/token".into(), version: None };
    let values: SharedValues = [
        ("LEVEL".to_owned(), SharedValue::Plain("info".to_owned())),
        ("TOKEN".to_owned(), SharedValue::Reference(secret)),
    ]
    .into_iter()
    .collect();
    let input = GraphInput { values: &values, ..GraphInput::new(&context, &definitions, &types) };
    let deploy = DeployContext { deployment: DeploymentId::new("1a").unwrap(), set: SetId::new("s").unwrap() };
    let preview = preview(input, &index, &deploy);
    Explainer::new(input, &preview, &index, &deploy, is_named).explain(&key(resource))
}

fn definitions() -> Vec<ResourceDefinition> {
    vec![
        definition(
            "pg-dev",
            "postgres",
            &json!({"criteria": [{"env_type": "development"}, {"app_id": "other"}], "driver_account": "gcp",
            "driver_inputs": {
                "values": {"host": "${resources['config#pg'].outputs.host}", "who": "${context.res.id}!", "all": "${resources['config#pg'].values}",
                    "policies": "${resources['workload#modules.web>aws-policy'].outputs.arn}", "bad": "${nope.x}"},
                "secret_refs": {"token": {"value": "${resources['config#pg'].outputs.token}"}},
            }}),
        ),
        definition("pg-any", "postgres", &json!({"criteria": [{}]})),
        definition("pg-none", "postgres", &json!({"criteria": []})),
        definition("pg-prod", "postgres", &json!({"criteria": [{"env_type": "production", "class": "big"}]})),
        definition(
            "conf-pg",
            "config",
            &json!({"driver_type": "humanitec/echo", "criteria": [{"res_id": "pg"}], "driver_inputs": {
                "values": {"host": "db.internal"}, "secret_refs": {"token": {"store": "vault", "ref": "pg-token"}}}}),
        ),
    ]
}

fn set() -> Value {
    json!({"modules": {"web": {
        "spec": {"containers": {"main": {"args": ["${not.expanded}"], "variables": {
            "DB": "${externals.db.host}:${externals.db.password}", "LEVEL": "${values.LEVEL}", "TOKEN": "${values.TOKEN}",
            "NODE": "${pod.spec.nodeName}",
        }}}},
        "externals": {"db": {"type": "postgres"}},
    }}})
}

/// A JSON value on one line, its parts one below the other.
fn lines<T: serde::Serialize>(items: &[T]) -> String {
    items.iter().map(|item| format!("{}\n", crate::json::to_value(item))).collect()
}

#[test]
fn an_explanation_names_candidates_rules_edges_and_placeholders() {
    let explanation = explained(&definitions(), &set(), "postgres.default#modules.web.externals.db", Named::ALL);
    let whole = crate::json::to_object(&explanation);
    assert_eq!(
        whole.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
        [
            "candidates",
            "class",
            "context",
            "definition",
            "depends_on",
            "errors",
            "guresid",
            "id",
            "needed_by",
            "origin",
            "placeholders",
            "resource",
            "runner_up",
            "type",
            "wave"
        ],
        "the help of `resources explain` lists these"
    );
    insta::assert_snapshot!(lines(&explanation.candidates), @r#"
    {"definition":"pg-dev","is_default":false,"outcome":"wins","rules":[{"fields":[{"actual":"default","field":"class","matches":true,"wanted":"default"},{"actual":"development","field":"env_type","matches":true,"wanted":"development"}],"id":"rule-0","matches":true,"score":1},{"fields":[{"actual":"default","field":"class","matches":true,"wanted":"default"},{"actual":"shop","field":"app_id","matches":false,"wanted":"other"}],"id":"rule-1","matches":false,"score":2}]}
    {"definition":"pg-any","is_default":false,"outcome":"runner-up","rules":[{"fields":[{"actual":"default","field":"class","matches":true,"wanted":"default"}],"id":"rule-0","matches":true,"score":0}]}
    {"definition":"pg-prod","is_default":false,"outcome":"no-match","rules":[{"fields":[{"actual":"default","field":"class","matches":false,"wanted":"big"},{"actual":"development","field":"env_type","matches":false,"wanted":"production"}],"id":"rule-0","matches":false,"score":1}]}
    {"definition":"pg-none","is_default":false,"outcome":"no-criteria","rules":[]}
    "#);
    insta::assert_snapshot!(lines(&[&whole["origin"], &whole["definition"], &whole["runner_up"]]), @r#"
    {"kind":"private","name":"db","workload":"web"}
    {"driver_account":"gcp","driver_type":"acme/terraform","id":"pg-dev","is_default":false,"is_pinned":false,"rule":{"class":"default","env_type":"development"},"score":1,"version":""}
    {"definition":"pg-any","score":0}
    "#);
    insta::assert_snapshot!(lines(&[&explanation.needed_by, &explanation.depends_on]), @r#"
    [{"reasons":[{"kind":"declared","text":"declared"},{"kind":"placeholder","text":"placeholder at /spec/containers/main/variables/DB"}],"resource":"workload.default#modules.web"}]
    [{"reasons":[{"kind":"reference","text":"reference at /driver_inputs/secret_refs/token"},{"kind":"reference","text":"reference at /driver_inputs/values/all"},{"kind":"reference","text":"reference at /driver_inputs/values/host"}],"resource":"config.default#pg"}]
    "#);
    insta::assert_snapshot!(lines(&explanation.placeholders), @r#"
    {"at":"/driver_inputs/values/all","outcome":{"by":"config.default#pg","is_secret":false,"kind":"output","value":{"host":"db.internal"}},"placeholder":"resources['config#pg'].values"}
    {"at":"/driver_inputs/values/bad","outcome":{"kind":"error","reason":"nothing is called `nope` here; known are `context`, `values`, `externals`, `shared`, `modules`, `pod`, `containers`, `resources`"},"placeholder":"nope.x"}
    {"at":"/driver_inputs/values/host","outcome":{"by":"config.default#pg","is_secret":false,"kind":"output","output":"host","value":"db.internal"},"placeholder":"resources['config#pg'].outputs.host"}
    {"at":"/driver_inputs/values/policies","outcome":{"from":[],"kind":"selected","output":"arn"},"placeholder":"resources['workload#modules.web>aws-policy'].outputs.arn"}
    {"at":"/driver_inputs/values/who","outcome":{"kind":"value","value":"modules.web.externals.db"},"placeholder":"context.res.id"}
    {"at":"/driver_inputs/secret_refs/token/value","outcome":{"by":"config.default#pg","is_secret":true,"kind":"output","output":"token"},"placeholder":"resources['config#pg'].outputs.token"}
    "#);
    insta::assert_snapshot!(explanation.errors.join("\n"), @r"
    PLN-004 Definition `pg-dev` at `/driver_inputs/values/bad`, matched for `postgres.default#modules.web.externals.db`: placeholder `${nope.x}`: nothing is called `nope` here; known are `context`, `values`, `externals`, `shared`, `modules`, `pod`, `containers`, `resources`
      hint: correct Definition `pg-dev`; a literal `${` is written `$\{`
    ");
}

#[test]
fn placeholders_of_a_workload_are_followed_too() {
    let explanation = explained(&definitions(), &set(), "workload.default#modules.web", Named::ALL);
    insta::assert_snapshot!(lines(&explanation.placeholders), @r#"
    {"at":"/resource/spec/containers/main/variables/DB","outcome":{"by":"postgres.default#modules.web.externals.db","is_secret":false,"kind":"output","output":"host"},"placeholder":"externals.db.host"}
    {"at":"/resource/spec/containers/main/variables/DB","outcome":{"by":"postgres.default#modules.web.externals.db","is_secret":true,"kind":"output","output":"password"},"placeholder":"externals.db.password"}
    {"at":"/resource/spec/containers/main/variables/LEVEL","outcome":{"kind":"value","value":"info"},"placeholder":"values.LEVEL"}
    {"at":"/resource/spec/containers/main/variables/NODE","outcome":{"field":"spec.nodeName","kind":"pod"},"placeholder":"pod.spec.nodeName"}
    {"at":"/resource/spec/containers/main/variables/TOKEN","outcome":{"kind":"secret","reference":"shop/token","store":"vault"},"placeholder":"values.TOKEN"}
    "#);
}

#[test]
fn a_resource_that_is_nowhere_is_matched_all_the_same() {
    let is_named = Named { app: false, env: false, res_id: false };
    let explanation = explained(&definitions(), &set(), "postgres.default#any", is_named);
    assert_eq!(explanation.origin, None);
    assert_eq!(explanation.guresid, None);
    assert_eq!(explanation.definition.unwrap().id.as_str(), "pg-dev");
    let other = explanation.candidates[0].rules.iter().find(|rule| rule.fields.iter().any(|f| f.field == "app_id"));
    assert_eq!(other.unwrap().fields.iter().find(|field| field.field == "app_id").unwrap().actual, None);
    assert!(explanation.placeholders.is_empty());
}

#[test]
fn equal_rules_are_shown_as_ambiguous() {
    let mut definitions = definitions();
    definitions.push(definition("pg-twin", "postgres", &json!({"criteria": [{"env_type": "development"}]})));
    let explanation = explained(&definitions, &set(), "postgres.default#modules.web.externals.db", Named::ALL);
    assert_eq!((&explanation.definition, &explanation.runner_up), (&None, &None));
    let outcomes: Vec<_> = explanation.candidates.iter().map(|c| (c.definition.as_str(), c.outcome)).collect();
    assert_eq!(outcomes[..2], [("pg-dev", CandidateOutcome::Ambiguous), ("pg-twin", CandidateOutcome::Ambiguous)]);
    assert!(explanation.errors[0].starts_with("PLN-002"), "{:?}", explanation.errors);
    assert!(explanation.origin.is_some(), "it is in the graph, without a Definition");
}

proptest! {
    #[test]
    fn removing_the_winner_promotes_the_runner_up_that_is_named(
        rules in prop::collection::vec(prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()), 0..3), 1..6),
    ) {
        let rule = |(env_type, app, env, res): (bool, bool, bool, bool)| {
            let mut rule = serde_json::Map::new();
            for (is_named, field, value) in [(env_type, "env_type", "development"), (app, "app_id", "shop"), (env, "env_id", "development"), (res, "res_id", "shared.db")] {
                if is_named { rule.insert(field.to_owned(), json!(value)); }
            }
            Value::Object(rule)
        };
        let all: Vec<ResourceDefinition> = rules.iter().enumerate()
            .map(|(number, rules)| definition(&format!("def-{number}"), "s3", &json!({"criteria": rules.iter().copied().map(rule).collect::<Vec<_>>()})))
            .collect();
        let set = json!({"shared": {"db": {"type": "s3"}}});
        let explain = |definitions: &[ResourceDefinition]| explained(definitions, &set, "s3.default#shared.db", Named::ALL);
        let before = explain(&all);
        if let Some(winner) = &before.definition {
            let rest: Vec<_> = all.iter().filter(|definition| definition.id != winner.id).cloned().collect();
            let after = explain(&rest);
            prop_assert_eq!(
                after.definition.map(|definition| (definition.id, definition.score)),
                before.runner_up.map(|runner_up| (runner_up.definition, runner_up.score))
            );
        }
    }
}

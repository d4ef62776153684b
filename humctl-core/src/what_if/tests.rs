//! Differences of small plans, and the laws of comparing.

use humctl_api_types::definition::{CreateDefinition, ResourceDefinition};
use humctl_api_types::id::{DeploymentId, SetId};
use humctl_api_types::set::DeploymentSet;
use humctl_api_types::time::Timestamp;
use serde_json::{Value, json};

use super::{Action, EnvironmentChange, compare, overlay};
use crate::builtin;
use crate::context::tests::context;
use crate::graph::build::GraphInput;
use crate::graph::{ResourceTypes, SetIndex};
use crate::lowering::Drivers;
use crate::matching::Definitions;
use crate::matching::tests::definition;
use crate::plan::DeployContext;
use crate::preview::preview;

fn current() -> Vec<ResourceDefinition> {
    let mut definitions = builtin::definitions(&context().org, &Timestamp::default());
    definitions.extend([
        definition(
            "git-target",
            "k8s-cluster",
            &json!({"criteria": [{}], "driver_type": "humanitec/k8s-cluster-git", "driver_inputs": {"values": {"url": "file:///r"}}}),
        ),
        definition(
            "pg-any",
            "postgres",
            &json!({"criteria": [{}], "driver_inputs": {
                "values": {"size": "${resources['config#pg'].outputs.size}"},
                "secret_refs": {"root": {"store": "humanitec", "ref": "defs/pg-any/root", "version": "4"}, "ca": {"store": "vault", "ref": "ca"}},
            }}),
        ),
        definition("conf-pg", "config", &json!({"criteria": [{"res_id": "pg"}]})),
    ]);
    definitions
}

/// What these files would change where one Workload has a database.
fn changes(current: &[ResourceDefinition], files: &[Value]) -> EnvironmentChange {
    let (context, types) = (context(), builtin::resource_types());
    let files: Vec<CreateDefinition> = files.iter().map(|file| serde_json::from_value(file.clone()).unwrap()).collect();
    let types_now = ResourceTypes::new(&types);
    let after = overlay(&context.org, &types_now, &Drivers::NONE, current, &files).definitions;
    let set: DeploymentSet =
        serde_json::from_value(json!({"modules": {"web": {"spec": {}, "externals": {"db": {"type": "postgres"}}}}}))
            .unwrap();
    let (index, types) = (SetIndex::new(&set).unwrap(), ResourceTypes::new(&types));
    let deploy = DeployContext { deployment: DeploymentId::new("1a").unwrap(), set: SetId::new("s").unwrap() };
    let (before, after) = (Definitions::new(current), Definitions::new(&after));
    let planned = |definitions| preview(GraphInput::new(&context, definitions, &types), &index, &deploy);
    compare(&context, &planned(&before), &planned(&after))
}

fn without_literal_secret() -> Vec<ResourceDefinition> {
    let mut definitions = current();
    for definition in &mut definitions {
        if let Some(inputs) = &mut definition.driver_inputs {
            inputs.secret_refs.remove("root");
        }
    }
    definitions
}

#[test]
fn a_new_definition_takes_over_and_what_hung_on_the_old_one_goes() {
    let file = json!({"id": "pg-shop", "name": "pg-shop", "type": "postgres", "driver_type": "humanitec/echo",
        "criteria": [{"app_id": "shop"}], "driver_inputs": {"values": {"size": 3}}});
    let change = changes(&without_literal_secret(), &[file]);
    insta::assert_snapshot!(crate::json::pretty(&crate::json::to_value(&change)), @r#"
    {
      "app": "shop",
      "env": "development",
      "env_type": "development",
      "files": [
        {
          "action": "remove",
          "label": "config.default#pg",
          "name": "resource-0c957f4bbf1c8ba3f3f6a8840e80a84c75b59a4e.yaml"
        },
        {
          "action": "change",
          "label": "postgres.default#modules.web.externals.db",
          "name": "resource-ed7f17651431f7f63093df3b0d3ae3cca76270e1.yaml"
        }
      ],
      "new_errors": [],
      "resources": [
        {
          "action": "remove",
          "definition": {
            "from": "conf-pg",
            "to": null
          },
          "driver_type": {
            "from": "acme/terraform",
            "to": null
          },
          "resource": "config.default#pg"
        },
        {
          "action": "change",
          "definition": {
            "from": "pg-any",
            "to": "pg-shop"
          },
          "driver_type": {
            "from": "acme/terraform",
            "to": "humanitec/echo"
          },
          "dropped_dependencies": [
            "config.default#pg"
          ],
          "inputs": {
            "/secret_refs/ca": {
              "from": {
                "ref": "ca",
                "store": "vault"
              },
              "to": null
            },
            "/values/size": {
              "from": "${resources['config#pg'].outputs.size}",
              "to": 3
            }
          },
          "resource": "postgres.default#modules.web.externals.db"
        }
      ],
      "solved_errors": []
    }
    "#);
}

#[test]
fn what_is_as_it_was_changes_nothing() {
    // As a file would say it: secrets as text where the Orchestrator holds one.
    let same = json!({"id": "pg-any", "name": "pg-any", "type": "postgres", "driver_type": "acme/terraform",
    "criteria": [{}], "driver_inputs": {
        "values": {"size": "${resources['config#pg'].outputs.size}"},
        "secret_refs": {"root": {"value": "canary-text"}, "ca": {"store": "vault", "ref": "ca"}},
    }});
    let other_type =
        json!({"id": "mail", "name": "mail", "type": "amqp", "driver_type": "humanitec/echo", "criteria": [{}]});
    let change = changes(&current(), &[same, other_type]);
    assert!(change.is_empty(), "{change:?}");
}

#[test]
fn a_secret_is_never_part_of_the_answer() {
    let file = json!({"id": "pg-shop", "name": "pg-shop", "type": "postgres", "driver_type": "humanitec/echo",
        "criteria": [{"app_id": "shop"}], "driver_inputs": {"secrets": {"deep": {"password": "canary-text", "link": "${resources.config#pg.outputs.x}"}}}});
    let change = changes(&without_literal_secret(), &[file]);
    let shown = crate::json::to_value(&change).to_string();
    assert!(!shown.contains("canary-text"), "{shown}");
    assert!(shown.contains("defs/pg-shop/deep/password"), "{shown}");
    assert!(shown.contains("${resources.config#pg.outputs.x}"), "{shown}");
}

#[test]
fn errors_come_and_go_and_files_stay_out_of_it() {
    let broken = json!({"id": "pg-any", "name": "pg-any", "type": "postgres", "driver_type": "acme/terraform",
        "criteria": [{"env_type": "production"}]});
    let change = changes(&without_literal_secret(), &[broken]);
    assert!(change.new_errors[0].starts_with("PLN-001"), "{:?}", change.new_errors);
    assert!(change.files.is_empty(), "nothing would be written");
    let actions: Vec<_> = change.resources.iter().map(|change| (change.resource.as_str(), change.action)).collect();
    assert_eq!(
        actions,
        [
            ("config.default#pg", Action::Remove),
            ("postgres.default#modules.web.externals.db", Action::Remove),
            ("workload.default#modules.web", Action::Change),
        ]
    );
    let fixed = json!({"id": "pg-any", "name": "pg-any", "type": "postgres", "driver_type": "acme/terraform",
        "criteria": [{}], "driver_inputs": {"secret_refs": {"root": {"store": "vault", "ref": "root"}}}});
    let change = changes(&current(), &[fixed]);
    assert!(change.solved_errors[0].starts_with("PLN-013"), "{:?}", change.solved_errors);
}

#[test]
fn another_target_is_told() {
    let moved = json!({"id": "git-target", "name": "git-target", "type": "k8s-cluster", "driver_type": "humanitec/k8s-cluster-git",
        "criteria": [{}], "driver_inputs": {"values": {"url": "file:///r", "branch": "live"}}});
    let change = changes(&without_literal_secret(), &[moved]);
    let target = change.target.unwrap();
    assert_eq!((target.from.branch.as_str(), target.to.branch.as_str()), ("", "live"));
}

#[test]
fn what_apply_would_refuse_is_refused_here_too() {
    let (context, types, current) = (context(), builtin::resource_types(), current());
    let types = ResourceTypes::new(&types);
    let file = |id: &str, rest: &Value| -> CreateDefinition {
        let mut file = json!({"id": id, "name": id, "type": "postgres", "driver_type": "humanitec/echo"});
        file.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        serde_json::from_value(file).unwrap()
    };
    // Id, what is given, part of the refusal.
    for (id, rest, refusal) in [
        ("pg-new", json!({}), ""),
        ("pg-any", json!({"criteria": [{}]}), ""),
        ("pg-any", json!({"type": "s3"}), "its type is `postgres` and cannot change to `s3`"),
        ("pg-new", json!({"type": "postgress"}), "did you mean `postgres`?"),
        ("pg-new", json!({"driver_type": "humanitec"}), "is not of the form `<org>/<driver>`"),
        ("pg-new", json!({"criteria": [{}]}), "belong to resource definition `pg-any` already"),
        ("pg-new", json!({"criteria": [{"class": "x"}, {"class": "x"}]}), "twice"),
        (
            "pg-new",
            json!({"driver_inputs": {"secrets": {"a": "b"}, "secret_refs": {"c": {"store": "s", "ref": "r"}}}}),
            "has both `secrets` and `secret_refs`",
        ),
    ] {
        let refused = overlay(&context.org, &types, &Drivers::NONE, &current, &[file(id, &rest)]).refused.join("\n");
        assert!(refused.contains(refusal) && refused.is_empty() == refusal.is_empty(), "{id} {rest}: {refused}");
    }
}

//! Laws that hold for any Definitions and any Deployment Set.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{definitions, listing, set};
use crate::builtin;
use crate::context::tests::context;
use crate::graph::build::{GraphInput, main_graph};
use crate::graph::{ResourceTypes, SetIndex};
use crate::matching::{Definitions, MatchError};
use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::set::DeploymentSet;

const TYPES: [&str; 5] = ["s3", "postgres", "dns", "config", "aws-policy"];
const CLASSES: [&str; 2] = ["default", "rw"];

/// Text that a Definition may hold; circles and dead ends are welcome.
fn reference() -> impl Strategy<Value = String> {
    let class = prop_oneof![Just(""), Just(".rw"), Just(".default"), Just(".@")];
    let id = prop_oneof![Just(""), Just("#fixed"), Just("#@"), Just("#shared.k1")];
    (0..TYPES.len(), class, id, prop_oneof![Just(""), Just("<workload"), Just(">aws-policy")]).prop_map(
        |(res_type, class, id, step)| format!("${{resources['{}{class}{id}{step}'].outputs.x}}", TYPES[res_type]),
    )
}

fn criteria() -> impl Strategy<Value = Value> {
    let field = |name: &'static str, values: [&'static str; 2]| {
        prop_oneof![Just(None), Just(Some(values[0])), Just(Some(values[1]))]
            .prop_map(move |value| value.map(|value| (name.to_owned(), json!(value))))
    };
    (
        field("env_type", ["development", "production"]),
        field("app_id", ["shop", "other"]),
        field("env_id", ["development", "qa"]),
        field("res_id", ["shared.k1", "fixed"]),
        field("class", CLASSES),
    )
        .prop_map(|(a, b, c, d, e)| Value::Object([a, b, c, d, e].into_iter().flatten().collect()))
}

fn any_definitions() -> impl Strategy<Value = Vec<ResourceDefinition>> {
    let row = (
        0..TYPES.len(),
        prop::collection::vec(criteria(), 0..3),
        prop::collection::vec(reference(), 0..3),
        prop::collection::btree_map(
            prop_oneof![Just("aws-policy"), Just("config.rw"), Just("dns#fixed")],
            (any::<bool>(), any::<bool>()),
            0..2,
        ),
    );
    prop::collection::vec(row, 1..12).prop_map(|rows| {
        let text: serde_json::Map<String, Value> = rows
            .into_iter()
            .enumerate()
            .map(|(number, (res_type, criteria, uses, provision))| {
                let provision: serde_json::Map<String, Value> = provision
                    .into_iter()
                    .map(|(key, (dependent, matching))| {
                        (key.to_owned(), json!({"is_dependent": dependent, "match_dependents": matching}))
                    })
                    .collect();
                let row = json!({"type": TYPES[res_type], "criteria": criteria, "uses": uses, "provision": provision});
                (format!("def-{number:02}"), row)
            })
            .collect();
        definitions(&Value::Object(text).to_string())
    })
}

fn any_set() -> impl Strategy<Value = DeploymentSet> {
    let declared = || {
        (0..3_usize, 0..CLASSES.len()).prop_map(|(kind, class)| json!({"type": TYPES[kind], "class": CLASSES[class]}))
    };
    (
        prop::collection::btree_map("[ab]1", prop::collection::btree_map("[xy]", declared(), 0..3), 1..3),
        prop::collection::btree_map("k[12]", declared(), 0..3),
    )
        .prop_map(|(modules, shared)| {
            let modules: serde_json::Map<String, Value> = modules
                .into_iter()
                .map(|(name, externals)| (name, json!({"spec": {"v": "${context.app.id}"}, "externals": externals})))
                .collect();
            set(json!({"modules": modules, "shared": shared}))
        })
}

/// Everything that a plan says: its nodes, its warnings, its errors.
fn told(definitions: &[ResourceDefinition], set: &DeploymentSet) -> String {
    let (types, context) = (builtin::resource_types(), context());
    let (definitions, types) = (Definitions::new(definitions), ResourceTypes::new(&types));
    let mut built = main_graph(GraphInput::new(&context, &definitions, &types), &SetIndex::new(set).unwrap());
    crate::graph::error::sort(&mut built.errors);
    let errors: String = built.errors.iter().map(|error| format!("{} {error}\n", error.code())).collect();
    format!("{}{}\n{errors}", listing(&built.result), built.result.warnings.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_order_of_definitions_plays_no_part(
        (definitions, shuffled) in any_definitions().prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle())),
        set in any_set(),
    ) {
        prop_assert_eq!(told(&definitions, &set), told(&shuffled, &set));
        prop_assert_eq!(told(&definitions, &set), told(&definitions, &set), "planned twice");
    }

    #[test]
    fn without_its_winner_a_resource_goes_to_the_runner_up(
        definitions in any_definitions(),
        id in prop_oneof![Just("shared.k1"), Just("fixed"), Just("elsewhere")],
        kind in 0..TYPES.len(),
        class in 0..CLASSES.len(),
    ) {
        let context = context();
        let resource = crate::context::tests::key(&format!("{}.{}#{id}", TYPES[kind], CLASSES[class]));
        let all = Definitions::new(&definitions);
        if let Ok(winner) = all.match_definition(&context, &resource) {
            let expected = all.match_without(Some(&winner.definition.id), &context, &resource);
            let rest: Vec<_> = definitions.iter().filter(|d| d.id != winner.definition.id).cloned().collect();
            let found = Definitions::new(&rest);
            let found = found.match_definition(&context, &resource);
            let ids = |result: Result<crate::matching::Rule<'_>, MatchError>| {
                result.map(|rule| (rule.definition.id.clone(), rule.score()))
            };
            prop_assert_eq!(ids(found), ids(expected));
        }
    }

    #[test]
    fn a_definition_of_another_type_changes_nothing(definitions in any_definitions(), set in any_set()) {
        let before = told(&definitions, &set);
        let mut more = definitions;
        more.extend(super::definitions("mail: {type: amqp, uses: ['${resources.s3.outputs.x}']}").into_iter().take(1));
        prop_assert_eq!(told(&more, &set), before);
    }
}

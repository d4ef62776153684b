//! Co-provisioning (spec/resource-model.md §8).

use serde_json::json;

use super::{definitions, errors, planned, run, set, web};

/// `s3` co-provisions `aws-policy`; the Workload needs the `s3`.
fn main_and_child(options: &str) -> Vec<String> {
    let yaml = format!("s3-main: {{type: s3, provision: {{aws-policy: {options}}}}}\npolicy: {{type: aws-policy}}\n");
    planned(&yaml, &web(&[("files", "s3")]))
}

#[test]
fn the_two_flags_decide_the_edges() {
    // The truth table of §8: is_dependent, match_dependents, and the edges of the
    // co-provisioned resource.
    let declared = "workload.default#modules.web -> s3.default#web/files: declared";
    let child_to_main = "aws-policy.default#web/files -> s3.default#web/files: co-provision";
    let consumer_to_child = "workload.default#modules.web -> aws-policy.default#web/files: match-dependents";
    for (options, expected) in [
        ("{}", vec![declared]),
        ("{is_dependent: false, match_dependents: false}", vec![declared]),
        ("{is_dependent: true}", vec![child_to_main, declared]),
        ("{match_dependents: true}", vec![consumer_to_child, declared]),
        ("{is_dependent: true, match_dependents: true}", vec![child_to_main, consumer_to_child, declared]),
    ] {
        assert_eq!(main_and_child(options), expected, "{options}");
    }
}

#[test]
fn two_dependent_children_are_no_consumers_of_each_other() {
    let yaml = "
        s3-main: {type: s3, provision: {aws-policy: {is_dependent: true, match_dependents: true}, config: {is_dependent: true, match_dependents: true}}}
        policy: {type: aws-policy}
        conf: {type: config}
    ";
    let edges = planned(yaml, &web(&[("files", "s3")]));
    assert!(!edges.iter().any(|edge| edge.starts_with("aws-policy") && edge.contains("config")), "{edges:?}");
    assert_eq!(edges.len(), 5, "two to the main resource, three of the Workload: {edges:?}");
}

#[test]
fn consumers_found_later_match_too() {
    // `config#late` comes into the graph after the s3 and refers to it.
    let yaml = "
        base: {type: base-env, uses: ['${resources[\"config#late\"].outputs.x}']}
        late: {type: config, uses: ['${resources[\"s3#shared.files\"].outputs.bucket}']}
        s3-main: {type: s3, provision: {aws-policy: {match_dependents: true}}}
        policy: {type: aws-policy}
    ";
    let edges = planned(yaml, &set(json!({"shared": {"files": {"type": "s3"}}})));
    assert!(
        edges.contains(&"config.default#late -> aws-policy.default#shared.files: match-dependents".to_owned()),
        "{edges:?}"
    );
}

#[test]
fn class_and_id_of_the_key_are_inherited_unless_written() {
    let yaml = "
        s3-main: {type: s3, class: rw, provision: {aws-policy: {}, aws-policy.own: {}, 'config#fixed': {}}}
        policy: {type: aws-policy, criteria: [{class: rw}, {class: own}]}
        conf: {type: config, class: rw}
    ";
    let definitions = definitions(yaml);
    let keys = run(&definitions, &web(&[("files", "s3.rw")]), |graph| {
        graph.unwrap().nodes.iter().map(|node| node.key.to_string()).collect::<Vec<_>>()
    });
    for key in
        ["aws-policy.rw#modules.web.externals.files", "aws-policy.own#modules.web.externals.files", "config.rw#fixed"]
    {
        assert!(keys.iter().any(|found| found == key), "{key} in {keys:?}");
    }
}

#[test]
fn params_make_edges_and_must_agree() {
    let yaml = "
        s3-a: {type: s3, class: aa, provision: {'config#same': {params: {size: 1, who: '${context.res.class}'}}}}
        s3-b: {type: s3, class: bb, provision: {'config#same': {params: {size: 1, who: '${context.res.class}'}}}}
        conf: {type: config, criteria: [{class: aa}, {class: bb}]}
    ";
    // Same text, but the keys inherit their class, so these are two resources.
    let both = web(&[("a", "s3.aa"), ("b", "s3.bb")]);
    assert_eq!(errors(&definitions(yaml), &both), "");
    let shared = yaml.replace("'config#same'", "'config.aa#same'");
    insta::assert_snapshot!(errors(&definitions(&shared), &both), @"
    PLN-008 config.aa#same: `config.aa#same` gets different params from Definition `s3-a` with provision key `config.aa#same`, matched for `s3.aa#modules.web.externals.a` and from Definition `s3-b` with provision key `config.aa#same`, matched for `s3.bb#modules.web.externals.b`
      hint: give the same params in both, or in one place only
    ");
    let agreeing = shared.replace("${context.res.class}", "${context.res.type}");
    assert_eq!(errors(&definitions(&agreeing), &both), "");

    let yaml = "
        dns-main: {type: dns, provision: {config: {params: {host: '${resources.s3.host}'}}}}
        bucket: {type: s3}
        conf: {type: config}
    ";
    let edges = planned(yaml, &web(&[("name", "dns")]));
    assert!(edges.contains(&"config.default#web/name -> s3.default#web/name: params".to_owned()), "{edges:?}");
}

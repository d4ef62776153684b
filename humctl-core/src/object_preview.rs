//! The Kubernetes objects that a Deployment would come to, for looking at:
//! nothing is written, and no target is needed.

use crate::git::GitTarget;
use crate::git::target::TargetOutput;
use crate::graph::build::GraphInput;
use crate::graph::{PlanError, Reported, SetIndex};
use crate::manifests::{SecretObjects, TargetOptions};
use crate::plan::{DeployContext, plan_target};
use crate::provision::{GivenOutputs, Input, Memories, Nothing, ProvisionedFiles, provision_files};
use crate::render::plan_custom_resources;
use crate::template::Random;

/// Plans a Deployment Set, provisions it and renders its objects. Secrets become
/// what the target asks for, if there is a target for objects, else
/// `ExternalSecret`s. Drivers remember nothing, random values are made up, and
/// what a Deployment would put into the secret store is named, and not put there.
///
/// # Errors
/// Everything that is wrong, sorted.
pub fn preview_objects(
    input: GraphInput<'_, '_>,
    index: &SetIndex<'_>,
    deploy: &DeployContext,
    given: &GivenOutputs,
) -> Result<ProvisionedFiles, Vec<PlanError>> {
    let input = GraphInput { makes_objects: true, ..input };
    // Without a target there is still something to look at.
    let Reported { result: target, .. } = plan_target(input);
    let (plan, resources) = plan_custom_resources(input, index, &target, deploy).into_result()?;
    let output = GitTarget::from_outputs(&target.cluster()).map(|target| target.output).unwrap_or_default();
    let options = TargetOptions {
        context: input.context,
        namespace: target.namespace(),
        secrets: match output {
            TargetOutput::Manifests(output) => output.secrets,
            TargetOutput::CustomResources => SecretObjects::default(),
        },
        allows_cluster_scoped: true,
    };
    let random = |guresid: &str| Random::seeded(crate::hash::sha256(format!("made up for {guresid}").as_bytes()));
    let memories = Memories::default();
    let outside = Nothing { drivers: input.drivers, store: input.secret_store };
    let input_of = Input { resources: &resources, given, memories: &memories, random: &random, outside: &outside };
    let mut made = provision_files(&input_of, options, input.types).into_result()?;
    made.warnings.splice(0..0, plan.graph.warnings);
    Ok(made)
}

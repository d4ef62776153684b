//! A Deployment as it would be, for looking at: everything is planned and
//! rendered, nothing is written, and errors are part of the answer.

use crate::graph::build::GraphInput;
use crate::graph::error::sort;
use crate::graph::{PlanError, Reported, SetIndex};
use crate::plan::{DeployContext, Plan, TargetPlan, plan_target};
use crate::render::{CrFile, plan_and_render};

/// What a Deployment Set comes to in one Environment.
#[derive(Debug)]
pub struct Preview<'d> {
    /// The target, as far as it can be planned.
    pub target: TargetPlan<'d>,
    /// The plan.
    pub plan: Plan<'d>,
    /// The files that the target directory would hold; as long as there are
    /// errors, nothing would be written.
    pub files: Vec<CrFile>,
    /// Everything that keeps it from being deployed, sorted.
    pub errors: Vec<PlanError>,
}

/// Plans and renders a Deployment Set.
#[must_use]
pub fn preview<'d>(input: GraphInput<'_, 'd>, index: &SetIndex<'_>, deploy: &DeployContext) -> Preview<'d> {
    let Reported { result: target, mut errors } = plan_target(input);
    let Reported { result: (plan, files), errors: more } = plan_and_render(input, index, &target, deploy);
    errors.extend(more);
    sort(&mut errors);
    Preview { target, plan, files, errors }
}

//! What a Deployment comes to in Kubernetes → the files of its target.

use humctl_api_types::change::Statefulness;

use crate::graph::{PlanError, Reported, ResourceTypes};
use crate::manifests::{Location, ResourceManifest, Source, TargetOptions, WorkloadObjects, to_files};
use crate::provision::waves::Waves;
use crate::provision::{Input, Provisioned, provision};
use crate::render::CrFile;
use crate::statefulness::statefulness;

/// Files of a Deployment.
#[derive(Debug, Default)]
pub struct ProvisionedFiles {
    /// Those of the Environment's directory, sorted by name.
    pub files: Vec<CrFile>,
    /// Those of objects that belong to no namespace, sorted by name.
    pub cluster_files: Vec<CrFile>,
    /// What they were made from.
    pub provisioned: Provisioned,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Makes the resources, renders the Workloads and lays the objects out in
/// files; reports everything that is wrong.
#[must_use]
pub fn provision_files(
    input: &Input<'_>,
    options: TargetOptions<'_>,
    types: &ResourceTypes<'_>,
) -> Reported<ProvisionedFiles> {
    let Reported { result: provisioned, mut errors } = provision(input);
    let waves = Waves::of(input.resources);
    let workloads: Vec<WorkloadObjects> = provisioned
        .workloads
        .iter()
        .map(|workload| WorkloadObjects {
            workload: workload.name.clone(),
            objects: workload.rendered.objects.clone(),
            secrets: workload.rendered.secrets.clone(),
            wave: waves.of_workload(&workload.name),
        })
        .collect();
    let resources: Vec<ResourceManifest> = provisioned
        .objects
        .iter()
        .map(|object| ResourceManifest {
            resource: object.resource.to_string(),
            name: object.name.clone(),
            location: if object.is_for_cluster { Location::Cluster } else { Location::Namespace },
            is_stateful: statefulness(object.resource.res_type.as_str(), types) == Statefulness::Stateful,
            wave: waves.of_resource(&object.resource),
            object: object.object.clone(),
        })
        .collect();
    let mut result = ProvisionedFiles { warnings: provisioned.warnings.clone(), provisioned, ..Default::default() };
    match to_files(&workloads, &resources, options) {
        Err(found) => errors.extend(found.iter().map(|error| PlanError::NotWritten {
            object: match &error.place.source {
                Source::Resource { resource, .. } => resource.clone(),
                Source::Workload { workload } => workload.clone(),
            },
            message: error.to_string(),
        })),
        Ok(made) => {
            result.warnings.extend(made.warnings.iter().map(ToString::to_string));
            for file in made.files {
                let part = if file.is_cluster_scoped { &mut result.cluster_files } else { &mut result.files };
                part.push(CrFile { name: file.name, content: file.content, kind: file.kind, object: file.object });
            }
        }
    }
    Reported { result, errors }
}

//! The files of a Deployment: custom resources, or the Kubernetes objects that
//! they come to, with what resources remember from one run to the next.

use serde::{Deserialize, Serialize};

use crate::context::EnvironmentContext;
use crate::git::target::TargetOutput;
use crate::graph::Reported;
use crate::manifests::TargetOptions;
use crate::orchestrator::deploy::Job;
use crate::orchestrator::failure::{Failed, failed, plan_failed};
use crate::orchestrator::write::Site;
use crate::orchestrator::{Orchestrator, Result, decode, documents};
use crate::provision::{Input, Memories, ProvisionedFiles, provision_files};
use crate::render::{CrFile, CustomResources};
use crate::secret::{SealedSecret, SecretValue, StateKey};
use crate::state::{Batch, find_state_key};
use crate::template::Random;

/// The files of a Deployment.
pub(super) struct TargetFiles {
    pub(super) files: Vec<CrFile>,
    /// Those of objects that belong to no namespace.
    pub(super) cluster_files: Vec<CrFile>,
    pub(super) warnings: Vec<String>,
    /// What resources remember; none when nothing is made here.
    pub(super) memories: Option<Memories>,
}

/// What the resources of an Environment remember, as the state keeps it.
#[derive(Serialize, Deserialize)]
struct MemoryDoc {
    memories: SealedSecret,
}

impl Orchestrator {
    /// Works out what the target of a Deployment is to hold.
    pub(super) fn target_files(
        &self,
        job: &Job,
        site: &Site<'_>,
        resources: &CustomResources,
    ) -> std::result::Result<TargetFiles, Failed> {
        let context = &job.context;
        let output = match &site.resolved.target.output {
            TargetOutput::CustomResources => {
                let files = resources.files().into_result().map_err(|errors| plan_failed(&errors))?;
                return Ok(TargetFiles { files, cluster_files: Vec::new(), warnings: Vec::new(), memories: None });
            }
            TargetOutput::Manifests(output) => output,
        };
        let memories = self.memories(context).map_err(|error| failed(context, &error))?;
        let key = self.key_for_random(job.is_draft).map_err(|error| failed(context, &error))?;
        let options = TargetOptions {
            context,
            namespace: site.plan.namespace(),
            secrets: output.secrets,
            allows_cluster_scoped: output.cluster_path.is_some(),
        };
        let random = |guresid: &str| Random::seeded(seed(key.as_ref(), guresid));
        let input = Input { resources, given: &job.given, memories: &memories, random: &random };
        let made: Reported<_> = provision_files(&input, options, site.input.types);
        let mut made = made.into_result().map_err(|errors| plan_failed(&errors))?;
        let memories = made.provisioned.memories;
        if key.is_none() && memories.values().any(|memory| !memory.drawn.is_empty()) {
            let warning = "what is drawn at random will be something else in the Deployment: this state has no key yet";
            made.warnings.push(warning.to_owned());
        }
        let ProvisionedFiles { files, cluster_files, warnings, .. } = made;
        Ok(TargetFiles { files, cluster_files, warnings, memories: Some(memories) })
    }

    /// The key that random values come from. A plan writes nothing, so that it
    /// does without as long as there is none.
    fn key_for_random(&self, is_draft: bool) -> Result<Option<StateKey>> {
        match is_draft {
            true => Ok(find_state_key(self.store(), &self.config.keys)?),
            false => self.state_key().map(Some),
        }
    }

    /// What the resources of an Environment remember of the last run.
    fn memories(&self, context: &EnvironmentContext) -> Result<Memories> {
        let key = documents::memories(&documents::env(&context.org, &context.app, &context.env));
        let Some(document) = self.store().get(&key)? else { return Ok(Memories::new()) };
        let doc: MemoryDoc = decode(&key, &document)?;
        let text = self.state_key()?.open(key.as_str(), &doc.memories)?;
        // Whatever was sealed was written by this program.
        Ok(serde_json::from_str(text.expose()).unwrap_or_default())
    }

    /// Keeps what the resources of a Deployment remember, if that is new.
    pub(super) fn keep_memories(
        &self,
        context: &EnvironmentContext,
        memories: &Memories,
        batch: &mut Batch,
    ) -> Result<()> {
        if self.memories(context)? == *memories {
            return Ok(());
        }
        let key = documents::memories(&documents::env(&context.org, &context.app, &context.env));
        let text = SecretValue::new(crate::json::canonical(&crate::json::to_value(memories)));
        let memories = self.state_key()?.seal(key.as_str(), &text)?;
        batch.put(&key, &MemoryDoc { memories });
        Ok(())
    }
}

/// The seed of a resource's random values: secret, and the same at each run.
fn seed(key: Option<&StateKey>, guresid: &str) -> [u8; 32] {
    let purpose = format!("random values of {guresid}");
    key.map_or_else(|| crate::hash::sha256(purpose.as_bytes()), |key| key.derive(&purpose))
}

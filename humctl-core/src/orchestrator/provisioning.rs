//! The files of a Deployment: custom resources, or the Kubernetes objects that
//! they come to, with what resources remember from one run to the next.

use serde::{Deserialize, Serialize};

use crate::context::EnvironmentContext;
use crate::git::target::TargetOutput;
use crate::graph::Reported;
use crate::manifests::TargetOptions;
use crate::orchestrator::deploy::Job;
use crate::orchestrator::failure::{Failed, failed, plan_failed};
use crate::orchestrator::outside::World;
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
    /// What a plan cannot know.
    pub(super) unknown: Vec<String>,
    /// Secrets that were known by value while they were made.
    pub(super) secrets: Vec<SecretValue>,
    /// What is left to record; none when nothing is made here.
    pub(super) left: Option<LeftBehind>,
}

/// What the state has for the resources of a Deployment.
pub(super) struct Supplies {
    /// What they remember of the last run.
    pub(super) memories: Memories,
    /// The key that random values come from, if there is one yet.
    pub(super) key: Option<StateKey>,
}

/// What making the resources of a Deployment leaves to be recorded once that
/// is on the branch.
pub(super) struct LeftBehind {
    /// What resources remember.
    memories: Memories,
    /// `GUResIDs` of what registered Drivers made and others make now.
    pub(super) replaced: Vec<String>,
}

/// What the resources of an Environment remember, as the state keeps it.
#[derive(Serialize, Deserialize)]
struct MemoryDoc {
    memories: SealedSecret,
}

impl Orchestrator {
    /// Works out what the target of a Deployment is to hold; nothing while
    /// registered Drivers are still to be asked.
    pub(super) fn target_files(
        &self,
        job: &Job,
        site: &Site<'_>,
        resources: &CustomResources,
    ) -> std::result::Result<Option<TargetFiles>, Failed> {
        let context = &job.context;
        let output = match &site.resolved.target.output {
            TargetOutput::CustomResources => {
                let files = resources.files().into_result().map_err(|errors| plan_failed(&errors))?;
                return Ok(Some(TargetFiles {
                    files,
                    cluster_files: Vec::new(),
                    warnings: Vec::new(),
                    unknown: Vec::new(),
                    secrets: Vec::new(),
                    left: None,
                }));
            }
            TargetOutput::Manifests(output) => output,
        };
        let options = TargetOptions {
            context,
            namespace: site.plan.namespace(),
            secrets: output.secrets,
            allows_cluster_scoped: output.cluster_path.is_some(),
        };
        let world = World::new(self, job, site.input);
        let replaced = self.replaced(job, resources, site.input)?;
        let Supplies { mut memories, key } = self.supplies(job)?;
        let made: Reported<_> = provision_files(
            &Input {
                resources,
                given: &job.given,
                memories: &memories,
                random: &|guresid| random(key.as_ref(), guresid),
                outside: &world,
            },
            options,
            site.input.types,
        );
        let (waiting, unknown) = world.into_parts();
        if !waiting.is_empty() {
            return Ok(None);
        }
        let mut made = made.into_result().map_err(|errors| plan_failed(&errors))?;
        // Those of resources that are left out stay: they may come back.
        memories.append(&mut made.provisioned.memories);
        if key.is_none() && memories.values().any(|memory| !memory.drawn.is_empty()) {
            let warning = "what is drawn at random will be something else in the Deployment: this state has no key yet";
            made.warnings.push(warning.to_owned());
        }
        let ProvisionedFiles { files, cluster_files, warnings, provisioned } = made;
        let left = Some(LeftBehind { memories, replaced });
        Ok(Some(TargetFiles { files, cluster_files, warnings, unknown, secrets: provisioned.secrets, left }))
    }

    /// What the resources of a Deployment are made with.
    pub(super) fn supplies(&self, job: &Job) -> std::result::Result<Supplies, Failed> {
        let context = &job.context;
        let supplies = || Ok(Supplies { memories: self.memories(context)?, key: self.key_for_random(job.is_draft)? });
        supplies().map_err(|error| failed(context, &error))
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
        LeftBehind { memories, .. }: &LeftBehind,
        batch: &mut Batch,
    ) -> Result<()> {
        if self.memories(context)? != *memories {
            self.write_memories(context, memories, batch)?;
        }
        Ok(())
    }

    /// Forgets what a resource remembers.
    pub(super) fn forget_memory(&self, context: &EnvironmentContext, guresid: &str, batch: &mut Batch) -> Result<()> {
        let mut memories = self.memories(context)?;
        if memories.remove(guresid).is_some() {
            self.write_memories(context, &memories, batch)?;
        }
        Ok(())
    }

    fn write_memories(&self, context: &EnvironmentContext, memories: &Memories, batch: &mut Batch) -> Result<()> {
        let key = documents::memories(&documents::env(&context.org, &context.app, &context.env));
        let text = SecretValue::new(crate::json::canonical(&crate::json::to_value(memories)));
        let memories = self.state_key()?.seal(key.as_str(), &text)?;
        batch.put(&key, &MemoryDoc { memories });
        Ok(())
    }
}

/// The random values of a resource: their seed is secret, and the same at each run.
pub(super) fn random(key: Option<&StateKey>, guresid: &str) -> Random {
    let purpose = format!("random values of {guresid}");
    Random::seeded(key.map_or_else(|| crate::hash::sha256(purpose.as_bytes()), |key| key.derive(&purpose)))
}

//! The files of a Deployment: custom resources, or the Kubernetes objects that
//! they come to, with what Drivers remember from one run to the next.

use serde::{Deserialize, Serialize};

use crate::context::{EnvironmentContext, known};
use crate::git::target::TargetOutput;
use crate::graph::Reported;
use crate::manifests::TargetOptions;
use crate::orchestrator::deploy::Job;
use crate::orchestrator::failure::{Failed, failed, plan_failed};
use crate::orchestrator::write::Site;
use crate::orchestrator::{Orchestrator, Result, decode, documents};
use crate::provision::{Cookies, Input, provision_files};
use crate::render::{CrFile, CustomResources};
use crate::secret::{SealedSecret, SecretValue, StateKey};
use crate::state::{Batch, key_location};
use crate::template::Random;

/// The files of a Deployment.
pub(super) struct TargetFiles {
    pub(super) files: Vec<CrFile>,
    /// Those of objects that belong to no namespace.
    pub(super) cluster_files: Vec<CrFile>,
    pub(super) warnings: Vec<String>,
    /// What Drivers left; none when none ran here.
    pub(super) cookies: Option<Cookies>,
}

/// The cookies of an Environment as the state keeps them: they may hold
/// passwords, or what passwords are made from.
#[derive(Serialize, Deserialize)]
struct CookieDoc {
    cookies: SealedSecret,
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
                return Ok(TargetFiles { files, cluster_files: Vec::new(), warnings: Vec::new(), cookies: None });
            }
            TargetOutput::Manifests(output) => output,
        };
        let cookies = self.cookies(context).map_err(|error| failed(context, &error))?;
        let key = self.key_for_random(job.is_draft).map_err(|error| failed(context, &error))?;
        let namespace = site.plan.outputs.get(&known::implicit(known::K8S_NAMESPACE));
        let options = TargetOptions {
            context,
            namespace: namespace.and_then(|outputs| outputs.values.get("namespace")?.as_str()),
            secrets: output.secrets,
            allows_cluster_scoped: output.cluster_path.is_some(),
        };
        let random = |guresid: &str| Random::seeded(seed(key.as_ref(), guresid));
        let input = Input { resources, given: &job.given, cookies: &cookies, random: &random };
        let made: Reported<_> = provision_files(&input, options, site.input.types);
        let mut made = made.into_result().map_err(|errors| plan_failed(&errors))?;
        if key.is_none() {
            made.warnings.extend(made.provisioned.drawn_for.iter().map(|resource| {
                format!("the random texts of `{resource}` will be others: the state key that they are drawn with is made by the first Deployment")
            }));
        }
        let cookies = Some(made.provisioned.cookies);
        Ok(TargetFiles { files: made.files, cluster_files: made.cluster_files, warnings: made.warnings, cookies })
    }

    /// The key that random values come from. A plan writes nothing, so that it
    /// does without as long as there is none.
    fn key_for_random(&self, is_draft: bool) -> Result<Option<StateKey>> {
        if is_draft && key_location(self.store(), &self.config.keys)?.is_none() {
            return Ok(None);
        }
        self.state_key().map(Some)
    }

    /// What the Drivers of an Environment left at their last run.
    fn cookies(&self, context: &EnvironmentContext) -> Result<Cookies> {
        let key = documents::cookies(&documents::env(&context.org, &context.app, &context.env));
        let Some(document) = self.store().get(&key)? else { return Ok(Cookies::default()) };
        let doc: CookieDoc = decode(&key, &document)?;
        let text = self.state_key()?.open(key.as_str(), &doc.cookies)?;
        Ok(Cookies(serde_json::from_str(text.expose()).unwrap_or_default()))
    }

    /// Keeps what the Drivers of a Deployment left, if that is new.
    pub(super) fn keep_cookies(
        &self,
        context: &EnvironmentContext,
        cookies: &Cookies,
        batch: &mut Batch,
    ) -> Result<()> {
        if self.cookies(context)? == *cookies {
            return Ok(());
        }
        let key = documents::cookies(&documents::env(&context.org, &context.app, &context.env));
        let text = SecretValue::new(crate::json::canonical(&crate::json::to_value(&cookies.0)));
        let cookies = self.state_key()?.seal(key.as_str(), &text)?;
        batch.put(&key, &CookieDoc { cookies });
        Ok(())
    }
}

/// The seed of a resource's random values: secret, and the same at each run.
fn seed(key: Option<&StateKey>, guresid: &str) -> [u8; 32] {
    let purpose = format!("random values of {guresid}");
    key.map_or_else(|| crate::hash::sha256(purpose.as_bytes()), |key| key.derive(&purpose))
}

//! `humctl create artefact-version`

use std::path::{Path, PathBuf};

use humctl_api_types::endpoint::{Method, org_path};
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::ArtefactVersionRequest;
use humctl_core::{json, yaml};
use serde_json::Value;

use crate::commands::kinds;
use crate::context::Context;
use crate::error::CliError;
use crate::input::read_text;

/// Register a new image, or a Workload with its Score file, with a hosted Orchestrator
///
/// Automation Rules deploy it where they match. The embedded Orchestrator keeps no
/// artefacts: there, deploy with `humctl score deploy --image`.
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  humctl create artefact-version -t container -n registry.example/shop \
    --version 1.4.0 --ref refs/heads/main --commit 0a1b2c3
  humctl create artefact-version -t workload --spec score.yaml --version 1.4.0

See also: humctl score deploy, humctl get"#)]
pub(crate) struct CreateArtefactVersionArgs {
    /// What it is: an image (container), or a Workload with its Score file (workload)
    #[arg(long = "type", short = 't', value_name = "TYPE", value_parser = ["container", "workload"])]
    artefact_type: String,
    /// The image without its tag, as in registry.example/shop; a Workload is named in its Score file
    #[arg(long, short, value_name = "NAME", required_if_eq("artefact_type", "container"))]
    name: Option<String>,
    /// Version; for an image, its tag
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Git reference that it was built from, as in refs/heads/main
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,
    /// Git commit that it was built from
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
    /// Digest of the image, as in sha256:0a1b2c3
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// Score file of the Workload
    #[arg(long, value_name = "FILE", required_if_eq("artefact_type", "workload"))]
    spec: Option<PathBuf>,
    /// Image for containers whose image is `.` or missing
    #[arg(long, value_name = "IMAGE", requires = "spec")]
    image: Option<String>,
    /// Score overrides file, merged over the Score file
    #[arg(long, value_name = "FILE", requires = "spec")]
    overrides: Option<PathBuf>,
    /// Score extension file, with what is specific to the Orchestrator
    #[arg(long, value_name = "FILE", requires = "spec")]
    extensions: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, args: &CreateArtefactVersionArgs) -> Result<(), CliError> {
    let file = |path: &Option<PathBuf>| path.as_deref().map(document).transpose();
    let body = ArtefactVersionRequest {
        artefact_type: args.artefact_type.clone(),
        name: args.name.clone(),
        version: args.version.clone(),
        reference: args.reference.clone(),
        commit: args.commit.clone(),
        digest: args.digest.clone(),
        spec: file(&args.spec)?,
        image: args.image.clone(),
        overrides: file(&args.overrides)?,
        property_overrides: None,
        extensions: file(&args.extensions)?,
    };
    let path = format!("{}/artefact-versions", org_path(&context.org()?));
    let made = context.client().value(Method::Post, &path, Some(&json::to_value(&body)))?;
    let manifests = kinds::manifests(Kind::ArtefactVersion, made);
    context.output.manifests(&manifests, true, || kinds::table(Kind::ArtefactVersion, &manifests))
}

/// The one document of a YAML file.
fn document(path: &Path) -> Result<Value, CliError> {
    let text = read_text(path)?;
    let documents =
        yaml::parse_documents(&text).map_err(|error| CliError::user(format!("{}:{error}", path.display())))?;
    match <[Value; 1]>::try_from(documents) {
        Ok([document]) if document.is_object() => Ok(document),
        _ => Err(CliError::user(format!("{}: expected one mapping", path.display()))),
    }
}

//! Which Score files one deployment is made from: the one that the flags name,
//! or those of a deploy config (spec/score.md §5.3).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use humctl_core::decode::{nearest, tolerant};
use humctl_core::score::merge;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::commands::score::file::read_document;
use crate::error::CliError;

/// A Score file and everything that changes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ScoreSources {
    pub(crate) file: PathBuf,
    pub(crate) overrides: Option<PathBuf>,
    pub(crate) extensions: Option<PathBuf>,
    /// Path → value; null removes.
    pub(crate) properties: Vec<(String, Value)>,
    pub(crate) image: Option<String>,
    /// Name that the Workload has to have.
    pub(crate) name: Option<String>,
    /// Address of the Score file, kept as an annotation.
    pub(crate) source_url: Option<String>,
    /// Resource Type as the file spells it → the type that is meant.
    pub(crate) type_aliases: BTreeMap<String, String>,
}

/// Flags that name Score files, and change them.
#[derive(Debug, clap::Args)]
pub(crate) struct ScoreFlags {
    /// Score file
    #[arg(long, short, value_name = "FILE", default_value = "score.yaml")]
    file: PathBuf,
    /// File that lists the Score files of several Workloads (kind `ScoreDeployConfig`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "overrides", "extensions", "properties", "workload_source_url"])]
    deploy_config: Option<PathBuf>,
    /// Score overrides file, merged over the Score file
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,
    /// Score extension file, with what is specific to the Orchestrator
    #[arg(long, value_name = "FILE")]
    extensions: Option<PathBuf>,
    /// Change a value of the Score file, as in containers.main.image=repo/app:1; without = it is removed
    #[arg(long = "property", short = 'p', value_name = "PATH=VALUE")]
    properties: Vec<String>,
    /// Image for containers whose image is `.` or missing
    #[arg(long, short, value_name = "IMAGE")]
    image: Option<String>,
    /// Link to the source of the Score file, kept as an annotation
    #[arg(long, value_name = "URL")]
    workload_source_url: Option<String>,
    /// Link to the source of the deploy config's directory; each Score file's link is made from it
    #[arg(long, value_name = "URL", requires = "deploy_config")]
    workload_source_url_prefix: Option<String>,
    /// What a Resource Type of the Score file stands for, as in s3=my-org/s3
    #[arg(long = "resource-type-alias", value_name = "TYPE=ORG/TYPE", value_parser = type_alias)]
    type_aliases: Vec<(String, String)>,
}

impl ScoreFlags {
    /// The Score files that are meant.
    ///
    /// # Errors
    /// A deploy config that cannot be read.
    pub(crate) fn sources(&self) -> Result<Vec<ScoreSources>, CliError> {
        let image = self.image.as_deref();
        let type_aliases: BTreeMap<String, String> = self.type_aliases.iter().cloned().collect();
        if let Some(config) = &self.deploy_config {
            let mut sources = from_config(config, image, self.workload_source_url_prefix.as_deref())?;
            for source in &mut sources {
                source.type_aliases.clone_from(&type_aliases);
            }
            return Ok(sources);
        }
        Ok(vec![ScoreSources {
            file: self.file.clone(),
            overrides: self.overrides.clone(),
            extensions: self.extensions.clone(),
            properties: properties(&self.properties),
            image: image.map(ToOwned::to_owned),
            name: None,
            source_url: self.workload_source_url.clone(),
            type_aliases,
        }])
    }
}

const API_VERSION: &str = "config.humanitec.io/v1b1";
const KIND: &str = "ScoreDeployConfig";
const WORKLOAD_KEYS: &[&str] = &["name", "specFile", "extensionsFile", "overridesFile", "image", "properties"];

/// One entry of a deploy config.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    name: Option<String>,
    spec_file: PathBuf,
    #[serde(default)]
    extensions_file: Option<PathBuf>,
    #[serde(default)]
    overrides_file: Option<PathBuf>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    properties: Map<String, Value>,
}

/// Reads a deploy config. Paths in it are relative to its directory; `image`
/// is for Workloads that name none.
pub(crate) fn from_config(
    path: &Path,
    image: Option<&str>,
    url_prefix: Option<&str>,
) -> Result<Vec<ScoreSources>, CliError> {
    let document = read_document(path)?;
    let at = |pointer: &str| {
        let position = document.positions().find(pointer);
        position.map(|at| format!("{}:{}:", at.line, at.column)).unwrap_or_default()
    };
    let fail = |pointer: &str, message: String| CliError::user(format!("{}:{} {message}", path.display(), at(pointer)));
    let is = |key: &str, expected: &str| document.value.get(key).and_then(Value::as_str) == Some(expected);
    if !is("apiVersion", API_VERSION) || !is("kind", KIND) {
        return Err(fail("", format!("a deploy config has apiVersion {API_VERSION} and kind {KIND}")));
    }
    for key in document.value.keys() {
        check_key(key, &["apiVersion", "kind", "workloads"]).map_err(|reason| fail(&format!("/{key}"), reason))?;
    }
    let Some(Value::Array(entries)) = document.value.get("workloads") else {
        return Err(fail("/workloads", "workloads must be a list".to_owned()));
    };
    if entries.is_empty() {
        return Err(fail("/workloads", "workloads is empty".to_owned()));
    }
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut sources = Vec::new();
    for (index, value) in entries.iter().enumerate() {
        let pointer = format!("/workloads/{index}");
        for key in value.as_object().into_iter().flat_map(Map::keys) {
            check_key(key, WORKLOAD_KEYS).map_err(|reason| fail(&format!("{pointer}/{key}"), reason))?;
        }
        let entry: Entry = tolerant(value).map_err(|error| fail(&pointer, error.message))?;
        sources.push(entry.sources(directory, image, url_prefix));
    }
    Ok(sources)
}

fn check_key(key: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&key) {
        return Ok(());
    }
    let hint = nearest(key, known.iter().copied()).map(|near| format!("\n  hint: did you mean '{near}'?"));
    Err(format!("additionalProperties '{key}' not allowed{}", hint.unwrap_or_default()))
}

impl Entry {
    fn sources(self, directory: &Path, image: Option<&str>, url_prefix: Option<&str>) -> ScoreSources {
        let source_url = url_prefix.map(|prefix| {
            let file = self.spec_file.strip_prefix(".").unwrap_or(&self.spec_file);
            format!("{}/{}", prefix.trim_end_matches('/'), file.display())
        });
        ScoreSources {
            file: directory.join(self.spec_file),
            overrides: self.overrides_file.map(|file| directory.join(file)),
            extensions: self.extensions_file.map(|file| directory.join(file)),
            properties: self.properties.into_iter().collect(),
            image: self.image.or_else(|| image.map(ToOwned::to_owned)),
            name: self.name,
            source_url,
            type_aliases: BTreeMap::new(),
        }
    }
}

/// Reads `TYPE=ORG/TYPE` of the command line: Score cannot spell the second,
/// which is how an Organization's own types are called.
pub(crate) fn type_alias(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((alias, res_type)) if !alias.is_empty() && !res_type.is_empty() => {
            Ok((alias.to_owned(), res_type.to_owned()))
        }
        _ => Err("it is written TYPE=ORG/TYPE, as in s3=my-org/s3".to_owned()),
    }
}

/// Properties of the command line, `PATH=VALUE` each, in their order.
pub(crate) fn properties(arguments: &[String]) -> Vec<(String, Value)> {
    arguments.iter().map(|argument| merge::parse_property(argument)).collect()
}

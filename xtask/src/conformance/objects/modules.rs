//! Cases made by hand: the sample of Score's conversion, and modules that use
//! what a Workload Profile offers.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow};
use humctl_core::manifests::{SecretObjects, TargetOptions, WorkloadObjects, to_files};
use humctl_core::objects::{Injected, WorkloadInput, render};
use humctl_core::render::CrFile;
use serde_json::Value;

use crate::conformance::objects::{Case, scene};
use crate::rendering::environment;

/// The sample of spec/score.md §4.1.
const SAMPLE: &str = r#"
apiVersion: score.dev/v1b1
metadata: {name: shop, annotations: {team.example/owner: core}}
service: {ports: {www: {port: 80, targetPort: 8080}}}
containers:
  web:
    image: .
    args: ["--dir", "/srv"]
    variables:
      MODE: fast
      DB_HOST: ${resources.db.host}
      DB_URL: postgres://${resources.db.username}:${resources.db.password}@${resources.db.host}
    files: {/etc/shop/app.conf: {mode: "0640", content: "host=${resources.db.host}\n"}}
    volumes: {/cache: {source: "${resources.tmp}"}}
    readinessProbe: {httpGet: {path: /ok, port: 8080}}
resources: {db: {type: postgres}, tmp: {type: volume}}
"#;

/// Documents of `name`, `profile`, `module` and what resources put into the Pod.
const MODULES: &str = include_str!("modules.yaml");

pub(super) fn cases() -> Result<Vec<Case>> {
    let sample = scene::object(SAMPLE).and_then(|document| scene::converted(document, None));
    let files = sample.and_then(|set| scene::render(set, &[scene::ephemeral_volume()]));
    let mut cases = vec![Case { name: "score/sample".to_owned(), files }];
    for document in humctl_core::yaml::parse_documents(MODULES).context("modules.yaml")? {
        let name = document["name"].as_str().context("modules.yaml: a document has no `name`")?;
        // These are ours: one that cannot be rendered is a mistake here.
        let files = rendered(&document).with_context(|| format!("modules.yaml: {name}"))?;
        cases.push(Case { name: format!("modules/{name}"), files: Ok(files) });
    }
    Ok(cases)
}

fn rendered(document: &Value) -> Result<Vec<CrFile>> {
    let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
    let names = document["volume_names"].as_object().into_iter().flatten();
    let names = names.filter_map(|(reference, name)| Some((reference.clone(), name.as_str()?.to_owned())));
    let injected = Injected {
        containers: list("containers"),
        volumes: list("volumes"),
        volume_names: names.collect::<BTreeMap<_, _>>(),
    };
    let context = environment("shop", "development")?;
    let profile = format!("humanitec/default-{}", document["profile"].as_str().unwrap_or("module"));
    let module = document["module"].as_object().context("it has no `module`")?;
    let input = WorkloadInput { name: "web", profile: &profile, context: &context, module, injected: &injected };
    let told = |lines: Vec<String>| anyhow!(lines.join("\n"));
    let made = render(input).map_err(|errors| told(errors.iter().map(ToString::to_string).collect()))?;
    let (objects, secrets) = (made.objects, made.secrets);
    let objects = WorkloadObjects { workload: "web".to_owned(), objects, secrets, ..WorkloadObjects::default() };
    let options = TargetOptions {
        context: &context,
        namespace: None,
        secrets: SecretObjects::default(),
        allows_cluster_scoped: false,
    };
    let files =
        to_files(&[objects], &[], options).map_err(|errors| told(errors.iter().map(ToString::to_string).collect()))?;
    let file = |file: humctl_core::manifests::ManifestFile| CrFile {
        name: file.name,
        content: file.content,
        kind: file.kind,
        object: file.object,
    };
    Ok(files.files.into_iter().map(file).collect())
}

//! `humctl delete active-resource TYPE[.CLASS]#ID`

use humctl_api_types::custom_resource::GROUP;
use humctl_api_types::endpoint::{self, Method, encode_segment, env_path};
use humctl_api_types::kind::Kind;
use humctl_api_types::resource::ActiveResource;
use humctl_core::json;

use crate::client::ApiRequest;
use crate::commands::kinds;
use crate::context::Context;
use crate::error::CliError;

/// Deletes an Active Resource, or forgets it with `detach`.
pub(super) fn delete(context: &Context, reference: &str, detach: bool) -> Result<(), CliError> {
    let (org, app, env) = context.env()?;
    let all = context.client().call(&endpoint::active_resources(&org, &app, &env))?;
    let resource = find(&all, reference)?;
    let name = format!("{}.{}", resource.res_type, resource.class);
    let query = if detach { "?detach=true" } else { "" };
    let path = format!(
        "{}/resources/{}/{}{query}",
        env_path(&org, &app, &env),
        encode_segment(&name),
        encode_segment(resource.res_id.as_str())
    );
    let answer = context.client().request(ApiRequest::new(Method::Delete, &path))?;
    if answer.status != 202 {
        return Ok(());
    }
    if context.output.is_machine() {
        let all = context.client().call(&endpoint::active_resources(&org, &app, &env))?;
        let marked = all.into_iter().find(|marked| marked.gu_res_id == resource.gu_res_id);
        let manifests = kinds::manifests(Kind::ActiveResource, json::to_value(&marked));
        return context.output.manifests(&manifests, true, || kinds::table(Kind::ActiveResource, &manifests));
    }
    let mut text = format!("Active Resource {name}#{} is marked for deletion.\n", resource.res_id);
    if context.client().is_local() {
        let namespace = all.iter().find(|other| other.res_id.as_str() == "k8s-namespace");
        let namespace = namespace.and_then(|namespace| namespace.resource.get("namespace")?.as_str());
        text.push_str(&format!(
            "Its custom resource has left Git and is kept in the cluster. Delete it there, which also deletes what the\n\
             Driver made, and then forget it here:\n  \
             kubectl delete resources.{GROUP} {}{}\n  \
             humctl delete active-resource {name}#{} --detach --app {app} --env {env}\n",
            resource.gu_res_id,
            namespace.map(|namespace| format!(" --namespace {namespace}")).unwrap_or_default(),
            resource.res_id
        ));
    }
    context.output.text(&text)
}

/// Finds the one Active Resource that `TYPE[.CLASS]#ID`, an id alone, or a
/// `GUResID` names.
fn find<'a>(all: &'a [ActiveResource], reference: &str) -> Result<&'a ActiveResource, CliError> {
    let names = |resource: &ActiveResource| match reference.split_once('#') {
        Some((res_type, id)) => {
            let full = format!("{}.{}", resource.res_type, resource.class);
            resource.res_id.as_str() == id && (res_type == full || res_type == resource.res_type.as_str())
        }
        None => resource.res_id.as_str() == reference || resource.gu_res_id.as_str() == reference,
    };
    let found: Vec<&ActiveResource> = all.iter().filter(|resource| names(resource)).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(CliError::user(format!("active resource `{reference}` does not exist"))
            .with_hint("list them with: humctl get active-resources")),
        several => {
            let names: Vec<String> =
                several.iter().map(|r| format!("{}.{}#{}", r.res_type, r.class, r.res_id)).collect();
            Err(CliError::user(format!("`{reference}` names {} active resources", several.len()))
                .with_hint(format!("name one of {}", names.join(", "))))
        }
    }
}

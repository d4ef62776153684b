//! `humctl score available-resource-types`

use std::collections::BTreeMap;

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::endpoint;
use humctl_api_types::id::OrgId;
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_core::score::known_types::{self, SCORE_TYPES};
use serde_json::{Map, Value, json};

use crate::completion;
use crate::context::Context;
use crate::error::CliError;
use crate::output::table::Table;

/// List the Resource Types that a Score file can ask for
///
/// These are the types for Workloads that some Resource Definition serves, each
/// with the classes that Definitions know.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl score available-resource-types
  humctl score available-resource-types --filter-type postgres -o json

See also: humctl score validate, humctl get, humctl resources explain")]
pub(crate) struct AvailableResourceTypesArgs {
    /// Show this type only, as in postgres
    #[arg(long, value_name = "TYPE", add = ArgValueCandidates::new(completion::res_types))]
    filter_type: Option<String>,
}

/// A type, and the classes that it can be asked for with.
struct Available {
    name: String,
    res_type: String,
    category: String,
    inputs_schema: Value,
    outputs_schema: Value,
    /// Class and description, where it has one.
    classes: Vec<(String, String)>,
}

/// Type and class → description.
type Descriptions = BTreeMap<(String, String), String>;

pub(crate) fn run(context: &Context, args: &AvailableResourceTypesArgs) -> Result<(), CliError> {
    let org = context.org()?;
    let types = context.client().call(&endpoint::resource_types(&org))?;
    let definitions = context.client().call(&endpoint::definitions(&org))?;
    let mut available = available(types, &definitions, &descriptions(context, &org)?);
    if let Some(filter) = &args.filter_type {
        available.retain(|entry| entry.res_type == *filter);
    }
    if context.output.is_machine() {
        return context.output.document(&available.iter().map(Available::entry).collect());
    }
    let mut table = Table::new(&["Name", "Type", "Category", "Class", "Description"]);
    for entry in &available {
        for (class, description) in &entry.classes {
            let row = [&entry.name, &entry.res_type, &entry.category, class, description];
            table.row(row.into_iter().cloned());
        }
    }
    context.output.table(&table)
}

impl Available {
    /// The object of spec/cli.md §6.12.
    fn entry(&self) -> Value {
        let class = |(class, description): &(String, String)| (class.clone(), json!(description));
        let classes: Map<String, Value> = self.classes.iter().map(class).collect();
        json!({
            "Name": self.name,
            "Type": self.res_type,
            "Category": self.category,
            "InputsSchema": self.inputs_schema,
            "OutputsSchema": self.outputs_schema,
            "Classes": classes,
        })
    }
}

/// What the registered classes are for.
fn descriptions(context: &Context, org: &OrgId) -> Result<Descriptions, CliError> {
    let classes = match context.client().get(&format!("{}/resources/classes", endpoint::org_path(org))) {
        Ok(classes) => classes,
        Err(error) if error.is_status(404) => return Ok(Descriptions::new()),
        Err(error) => return Err(error),
    };
    let text = |class: &Value, key: &str| class.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let described = |class| ((text(class, "resource_type"), text(class, "id")), text(class, "description"));
    Ok(classes.as_array().into_iter().flatten().map(described).collect())
}

fn available(
    types: Vec<ResourceTypeInfo>,
    definitions: &[ResourceDefinition],
    descriptions: &Descriptions,
) -> Vec<Available> {
    let special = SCORE_TYPES.iter().map(|(name, res_type)| Available {
        name: (*name).to_owned(),
        res_type: (*res_type).to_owned(),
        category: "score".to_owned(),
        inputs_schema: Value::Null,
        outputs_schema: Value::Null,
        classes: vec![("default".to_owned(), String::new())],
    });
    let served = types.into_iter().filter(|info| info.usage == "direct").filter_map(|info| {
        let described = |class: String| {
            let description = descriptions.get(&(info.res_type.to_string(), class.clone())).cloned();
            (class, description.unwrap_or_default())
        };
        let classes: Vec<_> = classes(&info, definitions).into_iter().map(described).collect();
        (!classes.is_empty()).then(|| Available {
            name: if info.name.is_empty() { info.res_type.to_string() } else { info.name.clone() },
            res_type: info.res_type.to_string(),
            category: info.category.clone(),
            inputs_schema: schema(info.params_schema()),
            outputs_schema: schema(Some(&info.outputs_schema)),
            classes,
        })
    });
    special.chain(served).collect()
}

/// The classes of a type; `default`, which everyone knows, comes last.
fn classes(info: &ResourceTypeInfo, definitions: &[ResourceDefinition]) -> Vec<String> {
    let classes = known_types::classes(info.res_type.as_str(), definitions).into_iter().map(ToOwned::to_owned);
    let (default, mut others): (Vec<String>, Vec<String>) = classes.partition(|class| class == "default");
    others.extend(default);
    others
}

fn schema(schema: Option<&Map<String, Value>>) -> Value {
    schema.filter(|schema| !schema.is_empty()).map_or(Value::Null, |schema| Value::Object(schema.clone()))
}

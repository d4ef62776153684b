//! Reading manifests: text of any number of documents into the objects that
//! `apply` and `delete` handle.
//!
//! Everything in a text is checked, and all that is wrong is told at once: an
//! unknown field, kind or type with line, column and the nearest valid name.

use humctl_api_types::application::{CreateApplication, EnvironmentType};
use humctl_api_types::definition::{CreateDefinition, MatchingCriteriaRule};
use humctl_api_types::delta::DeltaRequest;
use humctl_api_types::driver::CreateDriver;
use humctl_api_types::environment::CreateEnvironment;
use humctl_api_types::id::{AppId, DefinitionId, DeltaId, DeploymentId, EnvId, EnvTypeId, IdError};
use humctl_api_types::kind::{KINDS, Kind};
use humctl_api_types::manifest::{API_VERSION, LEGACY_API_VERSION};
use humctl_api_types::plain::Place;
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_api_types::secret::SecretTree;
use humctl_api_types::value::CreateValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::decode::{self, DecodeError, UnknownField, nearest};
use crate::plain::PlainKind;
use crate::yaml::{self, Position, Positions};

/// An object to apply or delete.
#[derive(Debug)]
pub enum Object {
    /// A Resource Definition.
    Definition(Box<CreateDefinition>),
    /// An Environment Type.
    EnvironmentType(EnvironmentType),
    /// A custom Resource Type.
    ResourceType(ResourceTypeInfo),
    /// A Driver of the Organization's own.
    Driver(Box<CreateDriver>),
    /// An Application.
    Application(Box<CreateApplication>),
    /// An Environment.
    Environment {
        /// Its Application, unless that of the context is meant.
        app: Option<AppId>,
        /// Id, name, type.
        body: Box<CreateEnvironment>,
    },
    /// A Shared Value.
    Value {
        /// Its Application, unless that of the context is meant.
        app: Option<AppId>,
        /// Its Environment, when it is not for all of them.
        env: Option<EnvId>,
        /// Key and value.
        body: Box<CreateValue>,
    },
    /// A rule of a Resource Definition, by itself.
    Criteria {
        /// The Definition that has it.
        definition: DefinitionId,
        /// What it matches.
        rule: Box<MatchingCriteriaRule>,
    },
    /// An object of a kind that is plain data.
    Plain(Box<PlainObject>),
    /// An object of the platform's own that `get` lists beside those of the Organization.
    BuiltIn {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// A Deployment Delta.
    Delta {
        /// Its Application, unless that of the context is meant.
        app: Option<AppId>,
        /// Its id; none makes a new one.
        id: Option<DeltaId>,
        /// What changes.
        body: Box<DeltaRequest>,
    },
}

/// An object of a kind that is plain data.
#[derive(Debug)]
pub struct PlainObject {
    /// Its kind.
    pub plain: &'static PlainKind,
    /// Where it is, as far as its metadata says.
    pub place: Place,
    /// Its id; none when the API names it.
    pub id: Option<String>,
    /// What its author gives; may hold secrets.
    pub entity: SecretTree,
}

impl Object {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Definition(_) => Kind::Definition,
            Self::EnvironmentType(_) => Kind::EnvironmentType,
            Self::ResourceType(_) => Kind::ResourceType,
            Self::Driver(_) => Kind::Driver,
            Self::Application(_) => Kind::Application,
            Self::Environment { .. } => Kind::Environment,
            Self::Value { .. } => Kind::Value,
            Self::Criteria { .. } => Kind::MatchingCriteria,
            Self::Plain(object) => object.plain.kind,
            Self::BuiltIn { kind, .. } => *kind,
            Self::Delta { .. } => Kind::DeploymentDelta,
        }
    }

    /// Where it is, as far as its metadata says.
    #[must_use]
    pub fn place(&self) -> Place {
        let (app, env) = match self {
            Self::Plain(object) => return object.place.clone(),
            Self::Criteria { definition, .. } => {
                return Place { definition: Some(definition.clone()), ..Place::default() };
            }
            Self::Environment { app, .. } | Self::Delta { app, .. } => (app.clone(), None),
            Self::Value { app, env, .. } => (app.clone(), env.clone()),
            _ => (None, None),
        };
        Place { app_id: app, env_id: env, ..Place::default() }
    }

    /// What it is called in messages: its id, type or key.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Definition(definition) => definition.id.as_str(),
            Self::EnvironmentType(env_type) => env_type.id.as_str(),
            Self::ResourceType(res_type) => res_type.res_type.as_str(),
            Self::Driver(driver) => driver.id.as_str(),
            Self::Application(body) => body.id.as_str(),
            Self::Environment { body, .. } => body.id.as_str(),
            Self::Value { body, .. } => body.key.as_str(),
            Self::BuiltIn { id, .. } => id,
            // A rule has no name of its own, but that of its Definition.
            Self::Criteria { definition, .. } => definition.as_str(),
            // A new one gets its id when it is made.
            Self::Plain(object) => object.id.as_deref().unwrap_or("(new)"),
            Self::Delta { id, .. } => id.as_ref().map_or("(new)", DeltaId::as_str),
        }
    }
}

/// The Organization that offers the built-in Drivers.
const BUILT_IN: &str = "humanitec";

fn text<'m>(metadata: &'m Map<String, Value>, key: &str) -> Option<&'m str> {
    metadata.get(key).and_then(Value::as_str)
}

/// What identifies an object of a kind in its metadata, and what else may stand there.
fn identity(kind: Kind) -> (&'static str, Vec<&'static str>) {
    match kind {
        Kind::ResourceType => ("type", vec!["type", "id"]),
        Kind::Value => ("key", vec!["key", "id", "org_id", "app_id", "env_id"]),
        kind if kind == Kind::MatchingCriteria || PlainKind::of(kind).is_some() => {
            ("id", ["id", "org_id"].into_iter().chain(kind.info().place()).collect())
        }
        _ => ("id", vec!["id", "org_id", "app_id", "env_id", "gu_res_id"]),
    }
}

/// What a manifest of a kind may well have in its metadata.
fn usual_metadata(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::ResourceType => &["type"],
        Kind::Value => &["key", "app_id", "env_id"],
        Kind::ResourceClass => &["id", "resource_type"],
        Kind::MatchingCriteria => &["id", "definition"],
        Kind::AutomationRule => &["id", "app_id", "env_id"],
        Kind::PipelineCriteria => &["id", "app_id", "pipeline_id"],
        _ => &["id", "app_id"],
    }
}

/// Reads the manifests of a text, in the order they stand in. `name` is what
/// messages call the text.
///
/// # Errors
/// All that is wrong, one `name:line:column: message` each.
pub fn read(name: &str, text: &str) -> Result<Vec<Object>, Vec<String>> {
    let documents = yaml::parse_documents(text).map_err(|error| vec![format!("{name}:{error}")])?;
    let mut objects = Vec::new();
    let mut problems = Vec::new();
    for (index, prefix, manifest) in
        documents.iter().enumerate().flat_map(|(index, document)| manifests_in(index, document))
    {
        match (Reader { name, text, index, prefix, positions: None }).read(manifest) {
            Ok(object) => objects.push(object),
            Err(mut found) => {
                found.sort();
                problems.extend(found.into_iter().map(|problem| problem.text));
            }
        }
    }
    if problems.is_empty() { Ok(objects) } else { Err(problems) }
}

/// The manifests of a document: itself, or the items of a list such as `get`
/// prints. With the document's index and the JSON pointer to the manifest.
fn manifests_in(index: usize, document: &Value) -> Vec<(usize, String, &Value)> {
    match document {
        Value::Array(items) => {
            items.iter().enumerate().map(|(item, manifest)| (index, format!("/{item}"), manifest)).collect()
        }
        other => vec![(index, String::new(), other)],
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_version: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    metadata: Map<String, Value>,
    entity: Option<Map<String, Value>>,
    /// The whole object in one part, up to about humctl 0.11.
    object: Option<Map<String, Value>>,
    /// Some pages of the documentation show the criteria here.
    criteria: Option<Value>,
    #[expect(dead_code, reason = "accepted, and ignored: only the platform sets it")]
    status: Option<Value>,
}

#[derive(Deserialize)]
struct EnvironmentEntity {
    id: EnvId,
    name: Option<String>,
    #[serde(rename = "type")]
    env_type: Option<EnvTypeId>,
    from_deploy_id: Option<DeploymentId>,
    #[expect(dead_code, reason = "shown by get, and not settable")]
    from_deploy: Option<Value>,
}

/// Something wrong in a document; sorted by where it stands.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    position: Option<Position>,
    text: String,
}

/// One document on its way to an [`Object`].
struct Reader<'t> {
    name: &'t str,
    text: &'t str,
    index: usize,
    /// Where the manifest stands in its document.
    prefix: String,
    positions: Option<Positions>,
}

impl Reader<'_> {
    fn read(mut self, document: &Value) -> Result<Object, Vec<Problem>> {
        let (envelope, unknown) =
            decode::strict::<Envelope>(document).map_err(|(error, _)| vec![self.decode_error("", &error)])?;
        let mut problems: Vec<Problem> = unknown.iter().map(|field| self.unknown_field("", field)).collect();
        let version = envelope.api_version.as_deref();
        if version != Some(API_VERSION) && version != Some(LEGACY_API_VERSION) {
            let found =
                version.map_or("it has no apiVersion".to_owned(), |version| format!("apiVersion is `{version}`"));
            problems.push(self.at("/apiVersion", &format!("this is no manifest: {found}, expected `{API_VERSION}`")));
            return Err(problems);
        }
        let Some(kind) = self.kind(envelope.kind.as_deref(), &mut problems) else { return Err(problems) };
        let part = if envelope.object.is_some() { "/object" } else { "/entity" };
        let mut entity = envelope.entity.or(envelope.object).unwrap_or_default();
        if let Some(criteria) = envelope.criteria {
            tracing::info!("{}: criteria stand outside of entity", self.name);
            entity.entry("criteria").or_insert(criteria);
        }
        self.finish(kind, part, &envelope.metadata, entity, problems)
    }

    fn kind(&mut self, word: Option<&str>, problems: &mut Vec<Problem>) -> Option<Kind> {
        let names = || KINDS.iter().filter(|info| info.is_applicable).map(|info| info.name);
        let Some(word) = word else {
            problems.push(self.at("", "the manifest has no `kind`"));
            return None;
        };
        let found = Kind::parse(word);
        if let Some(kind) = found.filter(|kind| kind.info().is_applicable) {
            return Some(kind);
        }
        let mut text = match found {
            Some(_) => format!("kind `{word}` is only shown, and cannot be applied"),
            None => format!("unknown kind `{word}`"),
        };
        text.push_str(&match nearest(word, names()) {
            Some(near) if found.is_none() => format!("\n  hint: did you mean `{near}`?"),
            _ => format!("\n  hint: known are {}", names().collect::<Vec<_>>().join(", ")),
        });
        problems.push(self.at("/kind", &text));
        None
    }

    /// Joins identity and entity to the body of the create request, and reads that.
    fn finish(
        mut self,
        kind: Kind,
        part: &str,
        metadata: &Map<String, Value>,
        mut entity: Map<String, Value>,
        mut problems: Vec<Problem>,
    ) -> Result<Object, Vec<Problem>> {
        let info = kind.info();
        if let (Kind::Driver, Some(BUILT_IN), Some(id)) = (kind, text(metadata, "org_id"), text(metadata, "id")) {
            return Ok(Object::BuiltIn { kind, id: id.to_owned() });
        }
        let (identity, allowed) = identity(kind);
        for key in metadata.keys().filter(|key| !allowed.contains(&key.as_str())) {
            let field = UnknownField {
                pointer: format!("/metadata/{}", yaml::escape_pointer(key)),
                name: key.clone(),
                expected: usual_metadata(kind),
            };
            problems.push(self.unknown_field("", &field));
        }
        let id = metadata.get(identity).or_else(|| metadata.get("id"));
        // The Orchestrator names a new Delta, for example.
        let has_own_id = match PlainKind::of(kind) {
            Some(plain) => plain.has_own_id,
            None => !matches!(kind, Kind::DeploymentDelta | Kind::MatchingCriteria),
        };
        match id {
            Some(Value::String(_)) => {}
            Some(_) => {
                problems.push(self.at(&format!("/metadata/{identity}"), &format!("metadata.{identity} is no string")));
            }
            None if !has_own_id => {}
            None => problems.push(self.at("/metadata", &format!("metadata.{identity} is missing"))),
        }
        if has_own_id {
            entity.insert(identity.to_owned(), id.cloned().unwrap_or_default());
        }
        if matches!(kind, Kind::Definition | Kind::Application) && !entity.contains_key("name") {
            entity.insert("name".to_owned(), id.cloned().unwrap_or_default());
        }
        if let Some(rules) = entity.get_mut("criteria").and_then(Value::as_array_mut) {
            // What `get` shows has ids, which follow from the rules.
            rules.iter_mut().filter_map(Value::as_object_mut).for_each(|rule| drop(rule.remove("id")));
        }
        let entity = Value::Object(entity);
        let object = match kind {
            Kind::Definition => self.entity(&entity, part, &mut problems).map(|d| Object::Definition(Box::new(d))),
            Kind::EnvironmentType => self.entity(&entity, part, &mut problems).map(Object::EnvironmentType),
            Kind::ResourceType => self.entity(&entity, part, &mut problems).map(Object::ResourceType),
            Kind::Driver => self.entity(&entity, part, &mut problems).map(|d| Object::Driver(Box::new(d))),
            Kind::Value | Kind::DeploymentDelta => self.scoped(kind, &entity, part, metadata, &mut problems),
            Kind::MatchingCriteria => self.rule(&entity, part, metadata, &mut problems),
            _ if let Some(plain) = PlainKind::of(kind) => self.plain(plain, entity, part, metadata, &mut problems),
            Kind::Application => {
                self.entity(&entity, part, &mut problems).map(|app| Object::Application(Box::new(app)))
            }
            _ => self.environment(&entity, part, metadata, &mut problems),
        };
        match object {
            Some(object) if problems.is_empty() => Ok(object),
            Some(_) => Err(problems),
            None if problems.is_empty() => Err(vec![self.at("", &format!("this {} cannot be read", info.name))]),
            None => Err(problems),
        }
    }

    /// Reads an object whose place stands in its metadata.
    fn scoped(
        &mut self,
        kind: Kind,
        entity: &Value,
        part: &str,
        metadata: &Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) -> Option<Object> {
        let built = match kind {
            Kind::Value => {
                let body = Box::new(self.entity(entity, part, problems)?);
                id(metadata, "app_id", AppId::new)
                    .and_then(|app| Ok(Object::Value { app, env: id(metadata, "env_id", EnvId::new)?, body }))
            }
            _ => {
                let body = Box::new(self.entity(entity, part, problems)?);
                id(metadata, "app_id", AppId::new)
                    .and_then(|app| Ok(Object::Delta { app, id: id(metadata, "id", DeltaId::new)?, body }))
            }
        };
        built.map_err(|reason| problems.push(self.at("/metadata", &reason))).ok()
    }

    fn rule(
        &mut self,
        entity: &Value,
        part: &str,
        metadata: &Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) -> Option<Object> {
        let rule = Box::new(self.entity(entity, part, problems)?);
        let place = self.place(metadata, problems)?;
        if place.definition.is_none() {
            problems.push(self.at("/metadata", "metadata.definition is missing: the Resource Definition of the rule"));
        }
        Some(Object::Criteria { definition: place.definition?, rule })
    }

    fn plain(
        &mut self,
        plain: &'static PlainKind,
        entity: Value,
        part: &str,
        metadata: &Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) -> Option<Object> {
        let entity = match entity {
            // A Pipeline's entity is its document, whatever that says.
            Value::Object(mut document) if plain.kind == Kind::Pipeline => {
                let id = document.remove("id");
                json!({"id": id, "document": document})
            }
            entity => entity,
        };
        let mut entity = self.taken(plain.read(&entity), part, problems)?;
        if let Err(reason) = plain.check(&entity) {
            problems.push(self.at(part, &reason));
        }
        entity.remove("id");
        let place = self.place(metadata, problems)?;
        let id = text(metadata, "id").map(ToOwned::to_owned);
        Some(Object::Plain(Box::new(PlainObject { plain, place, id, entity: SecretTree::new(entity) })))
    }

    /// What the metadata say of where an object is.
    fn place(&mut self, metadata: &Map<String, Value>, problems: &mut Vec<Problem>) -> Option<Place> {
        let place = decode::tolerant(&Value::Object(metadata.clone()));
        place.map_err(|error| problems.push(self.decode_error("/metadata", &error))).ok()
    }

    /// Reads a typed entity and collects what it does not know.
    fn entity<T: DeserializeOwned>(&mut self, entity: &Value, part: &str, problems: &mut Vec<Problem>) -> Option<T> {
        self.taken(decode::strict::<T>(entity), part, problems)
    }

    /// What was read, if it was; all that is wrong becomes problems.
    fn taken<T>(
        &mut self,
        read: Result<(T, Vec<UnknownField>), (DecodeError, Vec<UnknownField>)>,
        part: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let (read, unknown) = match read {
            Ok((read, unknown)) => (Ok(read), unknown),
            Err((error, unknown)) => (Err(error), unknown),
        };
        problems.extend(unknown.iter().map(|field| self.unknown_field(part, field)));
        read.map_err(|error| problems.push(self.decode_error(part, &error))).ok()
    }

    fn environment(
        &mut self,
        entity: &Value,
        part: &str,
        metadata: &Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) -> Option<Object> {
        let entity: EnvironmentEntity = self.entity(entity, part, problems)?;
        let app = self.place(metadata, problems)?.app_id;
        let body = CreateEnvironment {
            name: entity.name.unwrap_or_else(|| entity.id.to_string()),
            id: entity.id,
            env_type: entity.env_type,
            from_deploy_id: entity.from_deploy_id,
        };
        Some(Object::Environment { app, body: Box::new(body) })
    }

    fn unknown_field(&mut self, part: &str, field: &UnknownField) -> Problem {
        let hint = match field.suggestion() {
            Some(near) => format!("\n  hint: did you mean `{near}`?"),
            None => format!("\n  hint: known here are {}", field.expected.join(", ")),
        };
        self.at(&format!("{part}{}", field.pointer), &format!("unknown field `{}`{hint}", field.name))
    }

    fn decode_error(&mut self, part: &str, error: &DecodeError) -> Problem {
        // The id is written under metadata, and only joined to the entity here.
        let pointer = match error.pointer.as_str() {
            "/id" => "/metadata/id".to_owned(),
            pointer => format!("{part}{pointer}"),
        };
        let place = if error.pointer.is_empty() {
            String::new()
        } else {
            format!("`{}`: ", error.pointer.trim_start_matches('/'))
        };
        self.at(&pointer, &format!("{place}{}", error.message))
    }

    /// `file:line:column: message`.
    fn at(&mut self, pointer: &str, message: &str) -> Problem {
        let (text, index) = (self.text, self.index);
        let positions =
            self.positions.get_or_insert_with(|| yaml::positions(text).into_iter().nth(index).unwrap_or_default());
        let position = positions.find(&format!("{}{pointer}", self.prefix));
        let place = position.map(|position| format!("{}:{}:", position.line, position.column)).unwrap_or_default();
        Problem { position, text: format!("{}:{place} {message}", self.name) }
    }
}

/// An id in the metadata, if there is one.
fn id<T>(
    metadata: &Map<String, Value>,
    field: &str,
    read: fn(String) -> Result<T, IdError>,
) -> Result<Option<T>, String> {
    match metadata.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => read(text.clone()).map(Some).map_err(|error| error.to_string()),
        Some(_) => Err(format!("metadata.{field} is no string")),
    }
}

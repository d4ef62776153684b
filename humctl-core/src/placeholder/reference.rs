//! What a placeholder means: its root, and the resource it points to
//! (spec/resource-model.md §5.3, §6.1, §7).

use std::fmt;

use humctl_api_types::id::{Class, ResId, ResourceType};

/// The meaning of a placeholder's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `context.org.id` and so on; the part after `context.`.
    Context(String),
    /// `values.KEY`.
    Value(String),
    /// `externals.N`, with the output's path.
    External(String, Vec<String>),
    /// `shared.K`, with the output's path.
    Shared(String, Vec<String>),
    /// `modules.W.externals.N`, with the output's path.
    ModuleExternal(String, String, Vec<String>),
    /// `modules.W.service.name` or `.port`.
    Service {
        /// The Workload.
        workload: String,
        /// `name` or `port`.
        field: String,
    },
    /// `pod.<field path>`: a Kubernetes field, known only in the pod.
    Pod(String),
    /// `containers.C.limits.cpu` and the like, known only in the pod.
    Container {
        /// The container.
        container: String,
        /// `limits.cpu`, `requests.memory` …
        resource: String,
    },
    /// `resources.<REF>…`.
    Resource(ResourceRef, Projection),
    /// `resources.<SELECTOR>…`.
    Selected(Selector, Projection),
}

/// Which part of a resource a placeholder asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// `.outputs.<path>`.
    Output(Vec<String>),
    /// `.values` or `.outputs`: everything that is no secret.
    Values,
    /// `.guresid`.
    Guresid,
    /// `.account`: the Cloud Account of its Driver.
    Account,
    /// An output without the word `outputs` before it: an old form that stands
    /// in the params of a provision only.
    Bare(Vec<String>),
}

/// `TYPE[.CLASS][#ID]`; an absent part is inherited from the resource whose
/// Definition holds the reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceRef {
    /// The type.
    pub res_type: ResourceType,
    /// The class, unless inherited.
    pub class: Option<Class>,
    /// The id, unless inherited; `@` in it stands for the inherited one.
    pub id: Option<ResId>,
}

/// An anchor and steps from it, such as `workload>aws-policy`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// Where the steps start; inherits like a [`ResourceRef`].
    pub anchor: ResourceRef,
    /// At least one.
    pub steps: Vec<SelectorStep>,
}

/// One step of a [`Selector`]: a direction and a filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SelectorStep {
    /// Towards dependencies or dependents.
    pub direction: StepDirection,
    /// The type to stop at.
    pub res_type: ResourceType,
    /// The class it must have.
    pub class: Wanted<Class>,
    /// The id it must have.
    pub id: Wanted<ResId>,
}

/// What a selector's step asks of a class or an id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted<T> {
    /// Not written: any.
    Any,
    /// `@`: the same as where the step started.
    Same,
    /// This one.
    Is(T),
}

impl<T: PartialEq> Wanted<T> {
    /// True when `found` is what a step from `start` asks for.
    pub fn takes(&self, found: &T, start: &T) -> bool {
        match self {
            Self::Any => true,
            Self::Same => found == start,
            Self::Is(wanted) => found == wanted,
        }
    }
}

/// Which edges a selector's step follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepDirection {
    /// `A>B`: what A depends on.
    Dependencies,
    /// `A<B`: what depends on A.
    Dependents,
}

impl Reference {
    /// The path of the output that a reference in a Deployment Set asks for.
    #[must_use]
    pub fn output(&self) -> &[String] {
        match self {
            Self::External(_, out) | Self::Shared(_, out) | Self::ModuleExternal(_, _, out) => out,
            _ => &[],
        }
    }

    /// The reference that a text of a Definition is as a whole. Anything else
    /// that looks like a placeholder is no reference, and may be a secret.
    #[must_use]
    pub fn whole_in_definition(text: &str) -> Option<Self> {
        let template = super::parse(text).ok()?;
        let reference = Self::from_tokens(template.single()?).ok()?;
        matches!(reference, Self::Context(_) | Self::Resource(..) | Self::Selected(..)).then_some(reference)
    }

    /// Reads the meaning of a path.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence without the placeholder itself.
    pub fn from_tokens(tokens: &[String]) -> Result<Self, String> {
        let (root, path) = tokens.split_first().map_or(("", &[][..]), |(root, path)| (root.as_str(), path));
        let owned = |path: &[String]| path.to_vec();
        match (root, path) {
            ("context", [_, ..]) => {
                let name = path.join(".");
                if CONTEXT_NAMES.contains(&name.as_str()) {
                    Ok(Self::Context(name))
                } else {
                    Err(with_nearest(format!("there is no `context.{name}`"), &name, CONTEXT_NAMES))
                }
            }
            ("values", [key]) => Ok(Self::Value(key.clone())),
            ("values", [_, _, ..]) => {
                Err("a Shared Value with a dot in its key is written `${values['a.b']}`".to_owned())
            }
            ("externals", [name, out @ ..]) => Ok(Self::External(name.clone(), owned(out))),
            ("shared", [key, out @ ..]) => Ok(Self::Shared(key.clone(), owned(out))),
            ("modules", [workload, part, field]) if part == "service" && (field == "name" || field == "port") => {
                Ok(Self::Service { workload: workload.clone(), field: field.clone() })
            }
            ("modules", [_, part, ..]) if part == "service" => {
                Err("of a service there are only `name` and `port`".to_owned())
            }
            ("modules", [workload, part, name, out @ ..]) if part == "externals" => {
                Ok(Self::ModuleExternal(workload.clone(), name.clone(), owned(out)))
            }
            ("pod", [_, ..]) => pod_field(path).map(Self::Pod),
            ("containers", [container, group, unit])
                if matches!(group.as_str(), "limits" | "requests") && matches!(unit.as_str(), "cpu" | "memory") =>
            {
                Ok(Self::Container { container: container.clone(), resource: format!("{group}.{unit}") })
            }
            ("resources", [descriptor, projection @ ..]) => resource(descriptor, projection),
            (root, _) if ROOTS.contains(&root) => Err(format!("`{root}` needs a longer path")),
            (root, _) => Err(with_nearest(format!("nothing is called `{root}` here"), root, ROOTS)),
        }
    }
}

const ROOTS: &[&str] = &["context", "values", "externals", "shared", "modules", "pod", "containers", "resources"];

const CONTEXT_NAMES: &[&str] = &[
    "org.id",
    "app.id",
    "env.id",
    "env.type",
    "deploy.id",
    "deploy.set.id",
    "res.id",
    "res.type",
    "res.class",
    "res.guresid",
];

/// Fields that Kubernetes hands to a container (spec/resource-model.md §14, choice 14).
const POD_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.labels['k']",
    "metadata.annotations['k']",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.podIP",
    "status.hostIP",
];

/// The field's path in the form of Kubernetes.
fn pod_field(path: &[String]) -> Result<String, String> {
    if let [part, map, key] = path
        && part == "metadata"
        && (map == "labels" || map == "annotations")
    {
        return Ok(format!("metadata.{map}['{key}']"));
    }
    let name = path.join(".");
    if POD_FIELDS.contains(&name.as_str()) {
        Ok(name)
    } else {
        Err(with_nearest(format!("a container cannot read `pod.{name}`"), &name, POD_FIELDS))
    }
}

fn with_nearest(text: String, word: &str, known: &[&str]) -> String {
    match crate::decode::nearest(word, known.iter().copied()) {
        Some(near) => format!("{text}; did you mean `{near}`?"),
        None => {
            format!("{text}; known are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

fn resource(descriptor: &str, projection: &[String]) -> Result<Reference, String> {
    let projection = match projection {
        [] => return Err("a resource needs `.outputs.<name>`, `.values`, `.guresid` or `.account`".to_owned()),
        [word] if word == "outputs" || word == "values" => Projection::Values,
        [word] if word == "guresid" => Projection::Guresid,
        [word] if word == "account" => Projection::Account,
        [word, path @ ..] if word == "outputs" => Projection::Output(path.to_vec()),
        [word, path @ ..] if word == "values" => Projection::Output(path.to_vec()),
        path => Projection::Bare(path.to_vec()),
    };
    if descriptor.contains(['<', '>']) {
        Ok(Reference::Selected(descriptor.parse()?, projection))
    } else {
        Ok(Reference::Resource(descriptor.parse()?, projection))
    }
}

impl std::str::FromStr for ResourceRef {
    type Err = String;

    /// Splits at the first `#`, then the left part at the first `.`
    /// (spec/resource-model.md §6.1).
    fn from_str(text: &str) -> Result<Self, String> {
        let (left, id) = match text.split_once('#') {
            Some((left, id)) => (left, Some(id)),
            None => (text, None),
        };
        let (res_type, class) = match left.split_once('.') {
            Some((res_type, class)) => (res_type, Some(class)),
            None => (left, None),
        };
        let inherited = |part: &&str| *part != "@";
        Ok(Self {
            res_type: ResourceType::new(res_type).map_err(|error| error.to_string())?,
            class: class.filter(inherited).map(Class::new).transpose().map_err(|error| error.to_string())?,
            id: id.filter(inherited).map(ResId::new).transpose().map_err(|error| error.to_string())?,
        })
    }
}

impl fmt::Display for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.res_type)?;
        if let Some(class) = &self.class {
            write!(f, ".{class}")?;
        }
        if let Some(id) = &self.id {
            write!(f, "#{id}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.anchor)?;
        for SelectorStep { direction, res_type, class, id } in &self.steps {
            let sign = if *direction == StepDirection::Dependencies { '>' } else { '<' };
            write!(f, "{sign}{res_type}")?;
            match class {
                Wanted::Any => {}
                Wanted::Same => f.write_str(".@")?,
                Wanted::Is(class) => write!(f, ".{class}")?,
            }
            match id {
                Wanted::Any => {}
                Wanted::Same => f.write_str("#@")?,
                Wanted::Is(id) => write!(f, "#{id}")?,
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let first = text.find(['<', '>']).unwrap_or(text.len());
        let anchor = text[..first].parse()?;
        let mut rest = &text[first..];
        while let Some(sign) = rest.chars().next() {
            let end = rest[1..].find(['<', '>']).map_or(rest.len(), |end| end + 1);
            let direction = if sign == '>' { StepDirection::Dependencies } else { StepDirection::Dependents };
            steps.push(SelectorStep::read(direction, &rest[1..end])?);
            rest = &rest[end..];
        }
        Ok(Self { anchor, steps })
    }
}

impl SelectorStep {
    /// Reads `TYPE[.CLASS][#ID]`, in which `@` is the value stepped from.
    fn read(direction: StepDirection, text: &str) -> Result<Self, String> {
        fn wanted<T>(is_same: bool, value: Option<T>) -> Wanted<T> {
            match value {
                Some(value) => Wanted::Is(value),
                None if is_same => Wanted::Same,
                None => Wanted::Any,
            }
        }
        let filter: ResourceRef = text.parse()?;
        let left = text.split('#').next().unwrap_or_default();
        Ok(Self {
            direction,
            class: wanted(left.ends_with(".@"), filter.class),
            id: wanted(text.ends_with("#@"), filter.id),
            res_type: filter.res_type,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placeholder::parse;

    fn meaning(text: &str) -> Result<Reference, String> {
        Reference::from_tokens(parse(text).unwrap().single().unwrap())
    }

    #[test]
    fn every_root_of_the_catalogue_is_read() {
        let reference = |text: &str| text.parse::<ResourceRef>().unwrap();
        for (text, expected) in [
            ("${context.app.id}", Reference::Context("app.id".into())),
            ("${values['A.B']}", Reference::Value("A.B".into())),
            ("${externals.db.host}", Reference::External("db".into(), vec!["host".into()])),
            ("${shared.dns.host}", Reference::Shared("dns".into(), vec!["host".into()])),
            ("${modules.api.service.name}", Reference::Service { workload: "api".into(), field: "name".into() }),
            (
                "${modules.api.externals.db.host}",
                Reference::ModuleExternal("api".into(), "db".into(), vec!["host".into()]),
            ),
            ("${pod.metadata.namespace}", Reference::Pod("metadata.namespace".into())),
            (
                "${containers.main.limits.cpu}",
                Reference::Container { container: "main".into(), resource: "limits.cpu".into() },
            ),
            (
                "${resources['config.default#app.x'].outputs.a.b}",
                Reference::Resource(
                    reference("config.default#app.x"),
                    Projection::Output(vec!["a".into(), "b".into()]),
                ),
            ),
            ("${resources.my-org/dns.values}", Reference::Resource(reference("my-org/dns"), Projection::Values)),
            ("${resources.base-env#x.guresid}", Reference::Resource(reference("base-env#x"), Projection::Guresid)),
        ] {
            assert_eq!(meaning(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn references_split_at_the_first_hash_and_the_first_dot() {
        // spec/resource-model.md §15, point 4: text, then type, class and id.
        for (text, expected) in [
            ("aa", ("aa", None, None)),
            ("aa.bb", ("aa", Some("bb"), None)),
            ("aa#bb", ("aa", None, Some("bb"))),
            ("aa.bb#c.d#e", ("aa", Some("bb"), Some("c.d#e"))),
            ("org/aa.bb#cc", ("org/aa", Some("bb"), Some("cc"))),
            ("aa.@#@", ("aa", None, None)),
            ("aa#modules.x.externals.y", ("aa", None, Some("modules.x.externals.y"))),
        ] {
            let ResourceRef { res_type, class, id } = text.parse().unwrap();
            let (class, id) = (class.as_ref().map(AsRef::as_ref), id.as_ref().map(AsRef::as_ref));
            assert_eq!((res_type.as_str(), class, id), expected, "{text}");
        }
    }

    #[test]
    fn references_inherit_what_they_do_not_name() {
        let reference: ResourceRef = "s3.concrete".parse().unwrap();
        assert_eq!((reference.class.unwrap().as_str(), reference.id), ("concrete", None));
        let reference: ResourceRef = "config.@#modules.a.externals.b".parse().unwrap();
        assert_eq!((reference.class, reference.id.unwrap().as_str()), (None, "modules.a.externals.b"));
        assert!("#x".parse::<ResourceRef>().is_err());
    }

    #[test]
    fn selectors_are_chains_of_steps() {
        let selector: Selector = "gcs.default<workload>k8s-service-account".parse().unwrap();
        assert_eq!(selector.anchor.res_type.as_str(), "gcs");
        let steps: Vec<_> = selector.steps.iter().map(|step| (step.direction, step.res_type.as_str())).collect();
        assert_eq!(
            steps,
            [(StepDirection::Dependents, "workload"), (StepDirection::Dependencies, "k8s-service-account")]
        );
        let selector: Selector = "workload>s3.@#shared.x".parse().unwrap();
        assert_eq!(selector.steps[0].class, Wanted::Same);
        assert_eq!(selector.steps[0].id, Wanted::Is(ResId::new("shared.x").unwrap()));
        for text in ["gcs.default<workload>k8s-service-account", "workload>s3.@#shared.x", "a#b<c.d#@>e"] {
            assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn unknown_paths_say_what_is_known() {
        assert_eq!(
            meaning("${contex.app.id}").unwrap_err(),
            "nothing is called `contex` here; did you mean `context`?"
        );
        assert_eq!(meaning("${context.app.di}").unwrap_err(), "there is no `context.app.di`; did you mean `app.id`?");
        assert!(matches!(
            meaning("${resources.dns.host}"),
            Ok(Reference::Resource(_, Projection::Bare(path))) if path == ["host"]
        ));
        assert!(meaning("${modules.a.service.public_name}").is_err());
        assert!(meaning("${values.a.b}").is_err());
    }
}

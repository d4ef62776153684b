//! Forms of the years before 0.12 that old scripts still use (spec/cli.md §10):
//! a path of the API in place of an id, as in `create app /orgs/O/apps/A` or
//! `get active-resources /orgs/O/apps/A/envs/E/resources`.

use humctl_api_types::kind::Kind;

use crate::args::{Cli, Command};
use crate::commands::create::CreateWhat;
use crate::commands::kinds;

/// Turns paths into the context and id that they name. A context that the
/// command line has besides stays what it is.
pub(crate) fn adapt(cli: &mut Cli) {
    let (kind, id) = match &mut cli.command {
        Some(Command::Get(args)) => {
            let args = &mut **args;
            (args.kind.as_deref(), &mut args.id)
        }
        Some(Command::Delete(args)) => {
            let args = &mut **args;
            (args.kind.as_deref(), &mut args.id)
        }
        Some(Command::Create(args)) => match &mut args.what {
            Some(CreateWhat::App(args)) => return adapt_new(&mut cli.globals.context, &mut args.id),
            Some(CreateWhat::Env(args)) => return adapt_new(&mut cli.globals.context, &mut args.id),
            _ => return,
        },
        _ => return,
    };
    let kind = kind.and_then(|word| kinds::parse(word).ok());
    if let Some(named) = id.as_deref().and_then(|path| Named::parse(path, kind)) {
        if cli.globals.context.is_none() {
            // Where an Environment is optional, only the flag counts; a path says it as plainly.
            if cli.globals.env.is_none() {
                cli.globals.env = named.env().map(ToOwned::to_owned);
            }
            cli.globals.context = Some(named.context);
        }
        *id = named.id;
    }
}

/// As above, where an id has to be.
fn adapt_new(context: &mut Option<String>, id: &mut String) {
    let kind = if id.contains("/envs/") { Kind::Environment } else { Kind::Application };
    if let Some(Named { context: path, id: Some(named) }) = Named::parse(id, Some(kind)) {
        context.get_or_insert(path);
        *id = named;
    }
}

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    context: String,
    id: Option<String>,
}

impl Named {
    /// The Environment, if the path has one.
    fn env(&self) -> Option<&str> {
        self.context.split_once("/envs/").map(|(_, env)| env)
    }

    /// Reads `/orgs/O[/apps/A[/envs/E]][/REST]`; other texts are no paths.
    fn parse(path: &str, kind: Option<Kind>) -> Option<Self> {
        let mut rest: &[&str] = &path.strip_prefix('/')?.split('/').collect::<Vec<_>>();
        let mut context: Vec<[&str; 2]> = Vec::new();
        for word in ["orgs", "apps", "envs"] {
            match rest {
                [first, id, more @ ..] if *first == word && !id.is_empty() => {
                    context.push([word, id]);
                    rest = more;
                }
                _ => break,
            }
        }
        let own = match kind {
            Some(Kind::Organization) => "orgs",
            Some(Kind::Application) => "apps",
            Some(Kind::Environment) => "envs",
            _ => "",
        };
        let id = match rest {
            [] | [""] if context.last().is_some_and(|[word, _]| *word == own) => context.pop().map(|[_, id]| id),
            [] | [_] | ["resources", "defs" | "types" | "accounts" | "drivers"] => None,
            [.., id] => Some(*id),
        };
        if context.is_empty() {
            return None;
        }
        let context = context.iter().map(|[word, id]| format!("/{word}/{id}")).collect();
        Some(Self { context, id: id.map(ToOwned::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_context_and_object() {
        for (path, kind, context, id) in [
            ("/orgs/o/apps/a", Kind::Application, "/orgs/o", Some("a")),
            ("/orgs/o/apps/a/envs/e", Kind::Environment, "/orgs/o/apps/a", Some("e")),
            ("/orgs/o/apps/a/envs/e", Kind::ActiveResource, "/orgs/o/apps/a/envs/e", None),
            ("/orgs/o/apps/a/envs/e/resources", Kind::ActiveResource, "/orgs/o/apps/a/envs/e", None),
            ("/orgs/o/apps/a/envs/e/deploys/1a", Kind::Deployment, "/orgs/o/apps/a/envs/e", Some("1a")),
            ("/orgs/o/apps", Kind::Application, "/orgs/o", None),
            ("/orgs/o/resources/defs", Kind::Definition, "/orgs/o", None),
            ("/orgs/o/resources/defs/d", Kind::Definition, "/orgs/o", Some("d")),
        ] {
            let named = Named { context: context.to_owned(), id: id.map(ToOwned::to_owned) };
            assert_eq!(Named::parse(path, Some(kind)), Some(named), "{path}");
        }
        for text in ["shop", "", "/", "/apps/a", "orgs/o", "."] {
            assert_eq!(Named::parse(text, Some(Kind::Application)), None, "{text}");
        }
    }
}

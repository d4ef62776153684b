//! The main job, as a person does it: a Definition, an Application, a Score
//! file, and the custom resources in a Git repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{build, say};

struct Demo {
    humctl: PathBuf,
    directory: tempfile::TempDir,
}

pub(crate) fn run() -> Result<()> {
    say("building humctl …\n");
    let demo = Demo { humctl: build()?, directory: tempfile::tempdir()? };
    demo.prepare()?;
    demo.story()?;
    say("\nThe demo did all it should.\n");
    Ok(())
}

impl Demo {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn prepare(&self) -> Result<()> {
        fs::create_dir(self.path("home"))?;
        self.git(&["init", "--quiet", "--bare", "gitops.git"])?;
        self.git(&["-C", "gitops.git", "symbolic-ref", "HEAD", "refs/heads/main"])?;
        // A repository that people use already: their files must stay.
        self.git(&["clone", "--quiet", "gitops.git", "clone"])?;
        fs::write(self.path("clone/README.md"), "Our deployments.\n")?;
        self.git(&["-C", "clone", "checkout", "--quiet", "-b", "development"])?;
        self.git(&["-C", "clone", "add", "."])?;
        let identity = ["-c", "user.name=Demo", "-c", "user.email=demo@example.invalid"];
        self.git(&[&["-C", "clone"][..], &identity, &["commit", "--quiet", "-m", "Begin"]].concat())?;
        self.git(&["-C", "clone", "push", "--quiet", "origin", "development"])?;
        fs::write(self.path("github-for-gitops.yaml"), definition(&self.path("gitops.git"), false))?;
        fs::write(self.path("with-runtime.yaml"), definition(&self.path("gitops.git"), true))?;
        fs::write(self.path("gke-runtime.yaml"), RUNTIME)?;
        fs::write(self.path("score.yaml"), score(""))?;
        Ok(())
    }

    fn story(&self) -> Result<()> {
        let env = ["--app", "gitops-app", "--env", "development"];
        say("\n--- The platform engineer says where deployments go\n");
        self.humctl(&["apply", "-f", "github-for-gitops.yaml"])?;
        self.humctl(&["create", "app", "gitops-app"])?;

        say("\n--- The developer deploys a Score file\n");
        self.humctl(&[&["score", "deploy"][..], &env, &["--wait"]].concat())?;
        let files = self.listing()?;
        let is_resource = |name: &&String| {
            name.strip_prefix("resource-").and_then(|rest| rest.strip_suffix(".yaml")).is_some_and(|id| id.len() == 40)
        };
        ensure!(files.len() == 3, "expected 3 files, found {files:?}");
        ensure!(files.iter().filter(is_resource).count() == 2, "expected 2 resources, found {files:?}");
        ensure!(files.contains(&"workload-hello-world.yaml".to_owned()), "no workload in {files:?}");
        let workload =
            self.git(&["-C", "clone", "show", "origin/development:gitops-app/development/workload-hello-world.yaml"])?;
        say(&workload);
        ensure!(workload.contains("while true; do printenv && sleep 30; done"), "the workload lost its arguments");

        say("\n--- Both look at the result\n");
        let graph = self.humctl(&[&["resources", "graph"][..], &env].concat())?;
        ensure!(graph.matches("\\ntype: ").count() == 2, "the graph has other nodes than two");
        let url = self.humctl(&[&["resources", "graph", "deploy", "."][..], &env].concat())?;
        let page = url.trim().strip_prefix("file://").context("no address of the graph")?;
        ensure!(url.lines().count() == 1 && Path::new(page).is_file(), "{url:?} is not the address of a page");
        let active = self.humctl(&["api", "get", "/orgs/local/apps/gitops-app/envs/development/resources"])?;
        ensure!(active.contains("\"res_id\": \"modules.hello-world\""), "the workload is no Active Resource");
        self.humctl(&[&["get", "active-resources"][..], &env].concat())?;

        say("\n--- Nothing changed, so nothing is committed\n");
        let again = self.humctl(&[&["score", "deploy"][..], &env, &["--wait"]].concat())?;
        ensure!(again.contains("no changes: development@"), "an unchanged deployment did not say so");

        say("\n--- A resource comes and goes\n");
        fs::write(self.path("score.yaml"), score("resources:\n  db:\n    type: postgres\n"))?;
        fs::write(self.path("postgres.yaml"), POSTGRES)?;
        self.humctl(&["apply", "-f", "postgres.yaml"])?;
        self.humctl(&[&["score", "deploy"][..], &env, &["--wait"]].concat())?;
        ensure!(self.listing()?.len() == 4, "the resource has no file");
        fs::write(self.path("score.yaml"), score(""))?;
        self.humctl(&[&["score", "deploy"][..], &env, &["--wait"]].concat())?;
        ensure!(self.listing()? == files, "the files are not those of before");

        say("\n--- A cluster for runtime data is not needed to write to Git\n");
        self.humctl(&["apply", "-f", "with-runtime.yaml", "-f", "gke-runtime.yaml"])?;
        self.humctl(&[&["score", "deploy"][..], &env, &["--wait"]].concat())?;
        ensure!(self.listing()? == files, "the runtime cluster changed the files");

        let readme = self.git(&["-C", "clone", "show", "origin/development:README.md"])?;
        ensure!(readme == "Our deployments.\n", "a file of somebody else was changed");
        let objects = self.git_quietly(&["-C", "gitops.git", "cat-file", "--batch-all-objects", "--batch"])?;
        let secret = b"my-git-ssh-key";
        ensure!(!objects.windows(secret.len()).any(|window| window == secret), "a secret is in the repository");
        say("\n--- The branch\n");
        say(&self.git(&["-C", "clone", "log", "--oneline", "origin/development"])?);
        Ok(())
    }

    /// Names of the files in the Environment's directory.
    fn listing(&self) -> Result<Vec<String>> {
        self.git_quietly(&["-C", "clone", "fetch", "--quiet"])?;
        let text = self.git(&["-C", "clone", "ls-tree", "--name-only", "origin/development:gitops-app/development"])?;
        say(&text);
        Ok(text.lines().map(ToOwned::to_owned).collect())
    }

    /// Runs humctl as a person would; success says nothing on stderr.
    fn humctl(&self, arguments: &[&str]) -> Result<String> {
        say(&format!("\n$ humctl {}\n", arguments.join(" ")));
        let output = self.command(&self.humctl, arguments)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        say(&text(&output.stdout));
        say(&text(&output.stderr));
        ensure!(output.status.success(), "`humctl {}` failed", arguments.join(" "));
        ensure!(output.stderr.is_empty(), "`humctl {}` wrote to stderr", arguments.join(" "));
        Ok(text(&output.stdout))
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        say(&format!("$ git {}\n", arguments.join(" ")));
        Ok(String::from_utf8_lossy(&self.git_quietly(arguments)?).into_owned())
    }

    fn git_quietly(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = self.command(Path::new("git"), arguments)?;
        if !output.status.success() {
            bail!("`git {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Result<Output> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Command::new(program)
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .with_context(|| format!("cannot run `{}`", program.display()))
    }
}

fn definition(repository: &Path, has_runtime: bool) -> String {
    let provision = if has_runtime {
        "  provision:\n    k8s-cluster#k8s-cluster-runtime:\n      is_dependent: false\n      match_dependents: false\n"
    } else {
        ""
    };
    format!(
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata:
  id: github-for-gitops
entity:
  name: github-for-gitops
  driver_type: humanitec/k8s-cluster-git
  type: k8s-cluster
  driver_inputs:
    values:
      url: file://{}
      branch: development
      path: \"${{context.app.id}}/${{context.env.id}}\"
      loadbalancer: 35.10.10.10
    secrets:
      credentials:
        ssh_key: my-git-ssh-key
  criteria:
  - app_id: gitops-app
    env_type: development
  - app_id: gitops-app
    env_type: staging
{provision}",
        repository.display()
    )
}

fn score(resources: &str) -> String {
    format!(
        "apiVersion: score.dev/v1b1
metadata:
  name: hello-world
containers:
  hello-world:
    image: busybox
    command: [\"/bin/sh\"]
    args: [\"-c\", \"while true; do printenv && sleep 30; done\"]
{resources}"
    )
}

const POSTGRES: &str = "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata:
  id: postgres-team
entity:
  name: postgres-team
  type: postgres
  driver_type: humanitec/echo
  driver_inputs:
    values: {host: db.internal, port: 5432, name: app}
    secret_refs:
      username: {store: team-vault, ref: db/user}
      password: {store: team-vault, ref: db/password}
  criteria:
  - {}
";

const RUNTIME: &str = "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata:
  id: gke-temporary-credentials-runtime
entity:
  name: gke-temporary-credentials-runtime
  type: k8s-cluster
  driver_account: gcp-temporary-creds
  driver_type: humanitec/k8s-cluster-gke
  driver_inputs:
    values:
      loadbalancer: 35.10.10.10
      name: demo-123
      zone: europe-west2-a
      project_id: my-gcp-project
    secrets:
      agent_url: \"${resources['agent#agent'].outputs.url}\"
  criteria:
  - res_id: k8s-cluster-runtime
";

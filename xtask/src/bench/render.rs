//! Kubernetes objects of Score files: through the program, a cold process a
//! file, and of many Environments in this process.

use std::fs;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use humctl_api_types::deployment::ConvertScore;
use humctl_api_types::set::DeploymentSet;
use humctl_core::score::convert::convert;
use humctl_core::values::SharedValues;
use serde_json::{Map, Value, json};

use super::{Bench, best, held, median, milliseconds};
use crate::rendering::{Organization, cluster, definition, environment};

const N_FILES: usize = 20;
const N_ROUNDS: usize = 3;
const N_APPS: usize = 100;
const ENVS: [&str; 4] = ["development", "test", "staging", "live"];
/// Objects that a Score file comes to.
const N_OBJECTS: usize = 10;

pub(super) fn run(bench: &Bench) -> Result<()> {
    cold(bench)?;
    many()
}

/// One process for each Score file, against local state.
fn cold(bench: &Bench) -> Result<()> {
    let home = "home-render";
    fs::create_dir_all(bench.path(home))?;
    fs::create_dir(bench.path("render-defs"))?;
    for (id, entity) in definitions() {
        let manifest = json!({"apiVersion": "entity.humanitec.io/v1b1", "kind": "Definition", "metadata": {"id": id},
            "entity": entity});
        fs::write(bench.path(&format!("render-defs/{id}.json")), manifest.to_string())?;
    }
    bench.humctl(home, "apply -f render-defs")?;
    for number in 0..N_FILES {
        fs::write(bench.path(&format!("score-{number}.json")), Value::Object(score(number)).to_string())?;
    }
    let (mut times, mut peaks) = (Vec::new(), Vec::new());
    for number in (0..N_FILES).cycle().take(N_FILES * N_ROUNDS) {
        let words = format!("render -f score-{number}.json --app shop --env development -o yaml");
        let started = Instant::now();
        let told = bench.humctl(home, &words)?;
        times.push(started.elapsed());
        let n_objects = told.lines().filter(|line| line.starts_with("apiVersion:")).count();
        ensure!(n_objects == N_OBJECTS, "score-{number}.json comes to {n_objects} objects");
        peaks.push(bench.peak_memory(home, &words.split(' ').collect::<Vec<_>>())?);
    }
    let (time, peak) = (milliseconds(median(times)), peaks.into_iter().max().unwrap_or_default());
    let what = format!("render of {N_FILES} Score files, 2 containers, 6 resources each");
    held(&what, &format!("p50 {time:.1} ms"), "p50 < 50 ms", time < 50.0);
    // The kernel counts in kB.
    held("  its peak memory, the most of them", &format!("{peak} kB"), "< 40 MiB", peak < 40 * 1024);
    Ok(())
}

/// Every Environment of many Applications, planned and rendered.
fn many() -> Result<()> {
    let own = definitions().into_iter().map(|(id, entity)| definition(&id, &entity)).chain([cluster()]);
    let organization = Organization::new(own.collect::<Result<Vec<_>>>()?)?;
    let library = organization.library();
    let mut places = Vec::new();
    for number in 0..N_APPS {
        let set = set(number)?;
        for env in ENVS {
            places.push((environment(&format!("app-{number}"), env)?, set.clone()));
        }
    }
    let expected = places.len() * N_OBJECTS;
    let took = best(5, || {
        let mut n_objects = 0;
        for (context, set) in &places {
            let made = library.render(context, set, &SharedValues::NONE)?;
            n_objects += made.files.len() + made.cluster_files.len();
        }
        ensure!(n_objects == expected, "{n_objects} objects, and {expected} are expected");
        Ok(())
    })?;
    let what = format!("plan and render of {} Environments, {expected} objects", places.len());
    held(&what, &format!("{:.0} ms", milliseconds(took)), "4,000 in < 1 s", milliseconds(took) < 1000.0);
    Ok(())
}

fn set(number: usize) -> Result<DeploymentSet> {
    let request = ConvertScore {
        spec: score(number),
        image: None,
        overrides: None,
        property_overrides: None,
        resource_type_aliases: None,
        extensions: None,
    };
    convert(&request).map_err(|findings| anyhow!(findings.first().map(ToString::to_string).unwrap_or_default()))
}

/// A Score file with two containers and six resources.
fn score(number: usize) -> Map<String, Value> {
    let score = json!({
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": format!("web-{number}"), "annotations": {"team.example/owner": "core"}},
        "service": {"ports": {"www": {"port": 80, "targetPort": 8080}}},
        "containers": {
            "main": {
                "image": format!("registry.example.com/web:{number}"),
                "args": ["--listen", "0.0.0.0:8080"],
                "variables": {
                    "MODE": "fast",
                    "DB_HOST": "${resources.db.host}",
                    "DB_URL": "postgres://${resources.db.username}:${resources.db.password}@${resources.db.host}/${resources.db.name}",
                    "CACHE": "${resources.cache.host}:${resources.cache.port}",
                    "BUCKET": "${resources.files.bucket}",
                    "ADDRESS": "https://${resources.dns.host}/",
                },
                "files": {"/etc/web/app.conf": {"mode": "0640", "content": "host=${resources.db.host}\nport=${resources.db.port}\n"}},
                "volumes": {"/cache": {"source": "${resources.tmp}"}},
                "readinessProbe": {"httpGet": {"path": "/ok", "port": 8080}},
                "resources": {"limits": {"memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
            },
            "queue": {
                "image": format!("registry.example.com/queue:{number}"),
                "command": ["/bin/queue"],
                "variables": {"QUEUE": "amqp://${resources.queue.host}:${resources.queue.port}"},
            },
        },
        "resources": {
            "db": {"type": "postgres", "params": {"extensions": {"uuid-ossp": {}}}},
            "cache": {"type": "redis"},
            "files": {"type": "s3"},
            "queue": {"type": "amqp"},
            "dns": {"type": "dns"},
            "tmp": {"type": "volume"},
        },
    });
    score.as_object().cloned().unwrap_or_default()
}

/// Definitions with templates for what the Score files ask for: id and entity.
fn definitions() -> Vec<(String, Value)> {
    let claim = json!({"claim": {"location": "namespace", "data":
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {{ .init.name }}\nspec:\n  \
         accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n"}});
    let config = json!({"config": {"location": "namespace", "data": {"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "{{ .init.name }}"}, "data": {"owner": "{{ .driver.values.res }}"}}}});
    let volume = json!({"tmp": {"location": "volumes", "data": "name: {{ .init.name }}\nemptyDir: {}\n"}});
    let (host, secrets) = (
        "host: {{ .init.name }}.example.com",
        "username: {{ .driver.secrets.user }}\npassword: {{ .driver.secrets.password }}",
    );
    let rows = [
        (
            "postgres",
            claim.clone(),
            format!("{host}\nport: 5432\nname: {{{{ .init.name | replace \"-\" \"_\" }}}}"),
            secrets,
        ),
        ("redis", claim, format!("{host}\nport: 6379"), secrets),
        ("s3", config.clone(), "bucket: {{ .init.name }}\nregion: eu-west-1".to_owned(), ""),
        ("amqp", config, format!("{host}\nport: 5672\nvhost: /"), secrets),
        ("dns", json!({}), host.to_owned(), ""),
        ("volume", volume, String::new(), ""),
    ];
    let definition = |(res_type, manifests, outputs, secrets)| {
        let templates = json!({
            "init": "name: {{ printf \"%s-%s\" .driver.values.type (trunc 12 .id) | lower }}\n",
            "manifests": manifests, "outputs": outputs, "secrets": secrets});
        let entity = json!({"name": res_type, "type": res_type, "driver_type": "humanitec/template", "criteria": [{}],
            "driver_inputs": {
                "values": {"type": res_type, "res": "${context.res.id}", "templates": templates},
                "secret_refs": {"user": {"store": "vault", "ref": format!("{res_type}/user")},
                    "password": {"store": "vault", "ref": format!("{res_type}/password")}}}});
        (format!("{res_type}-team"), entity)
    };
    rows.map(definition).into()
}

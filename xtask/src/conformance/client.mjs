// The life of a Deployment, driven by the official TypeScript client. Every
// deviation is an error; the last line tells the number of calls.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { PublicApi, ResponseError, apiConfig } from "@humanitec/autogen";

const { HUMCTL_ADDRESS: address, HUMCTL_TOKEN: token } = process.env;
const orgId = "local";
let calls = 0;

// Counts what goes out, and sees to it that nothing but JSON comes back.
const configuration = apiConfig({ token, apiHost: address, internalApp: "conformance/1" });
const counted = {
  post: async ({ response }) => {
    calls += 1;
    const kind = response.headers.get("content-type");
    assert.ok(response.status === 204 || response.status === 202 || kind === "application/json", `${response.url}: ${kind}`);
  },
};
const api = new PublicApi(configuration).withMiddleware(counted);

/** The status and body of a call that has to fail. */
async function refused(call) {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    return { status: error.response.status, body: await error.response.json() };
  }
  throw new assert.AssertionError({ message: "a call that has to fail succeeded" });
}

console.log("the user and the Organization");
assert.ok((await api.getCurrentUser()).id);
assert.ok((await api.listOrganizations()).some((org) => org.id === orgId));
assert.equal((await api.getOrganization({ orgId })).id, orgId);

console.log("an Application and an Environment");
const app = await api.createApplication({ orgId, ApplicationCreationRequest: { id: "shop", name: "Shop" } });
assert.equal(app.id, "shop");
assert.equal(app.envs[0].id, "development");
assert.ok(app.created_at instanceof Date || typeof app.created_at === "string");
const appId = app.id;
const env = await api.createEnvironment({
  orgId,
  appId,
  EnvironmentDefinitionRequest: { id: "qa", name: "QA", type: "staging" },
});
assert.equal(env.id, "qa");
const envId = env.id;
assert.deepEqual((await api.listEnvironments({ orgId, appId })).map((one) => one.id).sort(), ["development", "qa"]);
const taken = await refused(api.createApplication({ orgId, ApplicationCreationRequest: { id: "shop", name: "Shop" } }));
assert.equal(taken.status, 409);

console.log("Definitions with Matching Criteria");
execFileSync("git", ["init", "--quiet", "--bare", "gitops.git"]);
const repository = `file://${process.cwd()}/gitops.git`;
const cluster = await api.createResourceDefinition({
  orgId,
  CreateResourceDefinitionRequestRequest: {
    id: "git-target",
    name: "git-target",
    type: "k8s-cluster",
    driver_type: "humanitec/k8s-cluster-git",
    driver_inputs: { values: { url: repository, branch: "main", path: "${context.app.id}/${context.env.id}" } },
    criteria: [{ app_id: appId }],
  },
});
assert.equal(cluster.criteria.length, 1);
const database = await api.createResourceDefinition({
  orgId,
  CreateResourceDefinitionRequestRequest: {
    id: "postgres-team",
    name: "postgres-team",
    type: "postgres",
    driver_type: "humanitec/echo",
    driver_inputs: { values: { host: "db.internal", port: 5432 } },
  },
});
assert.equal(database.type, "postgres");
const rule = await api.createResourceDefinitionCriteria({
  orgId,
  defId: database.id,
  MatchingCriteriaRuleRequest: { app_id: appId, env_type: "staging" },
});
assert.ok(rule.id);
const read = await api.getResourceDefinition({ orgId, defId: database.id });
assert.deepEqual(read.driver_inputs.values, { host: "db.internal", port: 5432 });
assert.equal(read.criteria[0].env_type, "staging");

console.log("a Shared Value");
const value = await api.orgsOrgIdAppsAppIdValuesPost({
  orgId,
  appId,
  ValueCreatePayloadRequest: { key: "LEVEL", value: "info", description: "how much is told", is_secret: false },
});
assert.equal(value.key, "LEVEL");

console.log("a Delta and its Deployment");
const module = {
  profile: "humanitec/default-module",
  spec: { containers: { main: { id: "main", image: "busybox", variables: { DB: "${externals.db.host}", LEVEL: "${values.LEVEL}" } } } },
  externals: { db: { type: "postgres" } },
};
// The client's type of this answer is empty, so the answer itself is looked at.
const posted = await api.orgsOrgIdAppsAppIdDeltasPostRaw({
  orgId,
  appId,
  DeltaRequest: { metadata: { env_id: envId, name: "first" }, modules: { add: { web: module } } },
});
const delta = await posted.raw.json();
assert.equal(delta.metadata.env_id, envId);
assert.deepEqual(delta.modules.add.web.spec, module.spec);

/** Waits until a Deployment has ended. */
async function ended(deployId) {
  for (let tries = 0; tries < 300; tries += 1) {
    const deployment = await api.getDeployment({ orgId, appId, envId, deployId });
    if (deployment.status !== "in progress") return deployment;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the Deployment does not end");
}

const started = await api.createDeployment({
  orgId,
  appId,
  envId,
  DeploymentRequest: { delta_id: delta.id, comment: "by the official client" },
});
assert.equal(started.comment, "by the official client");
const deployment = await ended(started.id);
assert.equal(deployment.status, "succeeded");
assert.equal(deployment.env_id, envId);
assert.deepEqual((await api.listDeployments({ orgId, appId, envId })).map((one) => one.id), [deployment.id]);
assert.deepEqual(await api.listDeploymentErrors({ orgId, appId, envId, deployId: deployment.id }), []);
assert.equal((await api.getEnvironment({ orgId, appId, envId })).last_deploy.id, deployment.id);

console.log("what is deployed");
const active = await api.listActiveResources({ orgId, appId, envId });
const about = new Map(active.map((resource) => [resource.res_id, resource]));
assert.ok(about.has("modules.web"), [...about.keys()].join());
const postgres = active.find((resource) => resource.type === "postgres");
assert.equal(postgres.def_id, database.id);
assert.deepEqual(postgres.resource, { host: "db.internal", port: 5432 });
assert.ok((await api.listActiveResourceByDefinition({ orgId, defId: database.id })).length === 1);
const set = await (await api.orgsOrgIdAppsAppIdSetsSetIdGetRaw({ orgId, appId, setId: deployment.set_id })).raw.json();
assert.deepEqual(Object.keys(set.modules), ["web"]);
assert.ok((await api.getSets({ orgId, appId })).some((one) => one.id === deployment.set_id));
const graph = await api.getDependencyGraph({ orgId, appId, envId, graphId: deployment.dependency_graph_id });
assert.equal(graph.id, deployment.dependency_graph_id);
const node = graph.nodes.find((one) => one.type === "postgres");
assert.equal(node.def_id, database.id);
assert.ok(graph.nodes.some((one) => one.depends_on.includes(node.guresid)));
const files = execFileSync("git", ["-C", "gitops.git", "ls-tree", "--name-only", `main:${appId}/${envId}`]).toString();
assert.ok(files.includes("workload-web.yaml"), files);

console.log("an answer of no");
const nowhere = await refused(api.getApplication({ orgId, appId: "nowhere" }));
assert.equal(nowhere.status, 404);
assert.equal(typeof nowhere.body.message, "string");
const inUse = await refused(api.deleteResourceDefinition({ orgId, defId: database.id }));
assert.equal(inUse.status, 409);
const stranger = new PublicApi(apiConfig({ token: "another-token-0123456789", apiHost: address }));
const unknown = await refused(stranger.withMiddleware(counted).getCurrentUser());
assert.equal(unknown.status, 401);

console.log("the end of it");
await api.deleteEnvironment({ orgId, appId, envId });
assert.equal((await refused(api.getEnvironment({ orgId, appId, envId }))).status, 404);
await api.deleteApplication({ orgId, appId });
assert.deepEqual((await api.listApplications({ orgId })).map((one) => one.id), []);
for (const defId of [database.id, cluster.id]) {
  await api.deleteResourceDefinition({ orgId, defId });
  assert.equal((await refused(api.getResourceDefinition({ orgId, defId }))).status, 404);
}
const left = execFileSync("git", ["-C", "gitops.git", "ls-tree", "-r", "--name-only", "main"]).toString();
assert.equal(left, "", left);

console.log(`${calls} calls`);

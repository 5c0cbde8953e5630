// The engine in Express and a service in Rust have the same sessions. The service is the repository's demo application.
"use strict";

const assert = require("node:assert/strict");
const { spawn, spawnSync } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");
const { after, before, test } = require("node:test");

const express = require("express");

const tenure = require("..");
const { startRedis } = require("./support/servers");
const { Browser, serve } = require("./support/site");

const SECRET = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";
const ROUNDS = 100;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-express-sharing-"));
let redis;
let rust;
let site;

before(async () => {
  redis = await startRedis();
  [rust, site] = [await startService(redis.url), await startSite(redis.url)];
});

after(async () => {
  rust?.stop();
  await site?.close();
  await redis?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** With TENURE_BUILD=workspace as the tests of the whole repository build it, so that they share what is compiled. */
function buildService() {
  const selected =
    process.env.TENURE_BUILD === "workspace"
      ? ["--workspace", "--all-features", "--all-targets"]
      : ["--package", "demo", "--bin", "demo"];
  const build = ["build", ...selected, "--locked", "--message-format=json"];
  const built = spawnSync("cargo", build, { cwd: __dirname, encoding: "utf8", maxBuffer: 2 ** 28 });
  assert.equal(built.status, 0, built.stderr);
  const messages = built.stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const isService = ({ target, profile, executable }) => target?.name === "demo" && executable && !profile.test;
  return messages.find(isService).executable;
}

async function startService(store) {
  const program = buildService();
  const args = ["--store", store, "--database", path.join(folder, "accounts.db"), "--listen", "127.0.0.1:0"];
  const child = spawn(program, args, { env: { SESSION_SECRET: SECRET }, stdio: ["ignore", "pipe", "ignore"] });
  const stop = () => child.kill("SIGKILL");
  process.once("exit", stop);
  const ended = once(child, "exit").then(() => assert.fail("the service ended"));
  ended.catch(() => {});
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (url) return { url, stop };
  }
  return ended;
}

async function startSite(store) {
  const sessions = tenure({ store: await tenure.connect(store), secret: SECRET });
  const app = express();
  app.use(sessions);
  app.post("/count", async (req, res) => {
    res.json(await req.session.update("count", (count = 0) => count + 1));
  });
  app.get("/", (req, res) => res.json({ owner: req.session.owner, ...req.session }));
  app.post("/sign-in/:user", async (req, res) => {
    await req.session.signIn(req.params.user);
    res.end();
  });
  app.post("/sign-out", async (req, res) => {
    await req.session.signOut();
    res.end();
  });
  return serve(app);
}

async function signUp(browser, name) {
  const answer = await fetch(`${rust.url}/api/sign-up`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password: "correct horse battery staple" }),
  });
  assert.equal(answer.status, 200, await answer.text());
  browser.keep(answer);
}

test("a user who signs in at the service is signed in in Express, and counts at both", async () => {
  const browser = new Browser();
  await signUp(browser, "ada");
  assert.equal((await browser.json("GET", `${site.url}/`)).owner, "ada");
  for (let round = 0; round < ROUNDS; round++) {
    assert.deepEqual(await browser.json("POST", `${rust.url}/api/count`), { count: 2 * round + 1 });
    assert.equal(await browser.json("POST", `${site.url}/count`), 2 * round + 2);
  }
});

test("requests to both at once lose no count", async () => {
  const browser = new Browser();
  await signUp(browser, "grace");
  const counting = Array.from({ length: 60 }, (_, at) =>
    browser.send("POST", at % 2 === 0 ? `${rust.url}/api/count` : `${site.url}/count`),
  );
  for (const answer of await Promise.all(counting)) assert.equal(answer.status, 200);
  assert.equal((await browser.json("GET", `${site.url}/`)).count, 60);
});

test("who signs out in Express is signed out at the service, and the other way round", async () => {
  const browser = new Browser();
  const isSignedIn = async () => (await browser.json("GET", `${rust.url}/api/session`)).signed_in;
  await signUp(browser, "linus");
  assert.equal(await isSignedIn(), true);
  const kept = new Map(browser.cookies);
  await browser.send("POST", `${site.url}/sign-out`);
  browser.cookies = new Map(kept);
  assert.equal(await isSignedIn(), false);

  await browser.send("POST", `${site.url}/sign-in/linus`);
  assert.equal(await isSignedIn(), true);
  const stolen = new Map(browser.cookies);
  await browser.send("POST", `${rust.url}/api/sign-out`);
  browser.cookies = stolen;
  assert.equal((await browser.json("GET", `${site.url}/`)).owner, undefined);
});

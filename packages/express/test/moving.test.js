// The steps of docs/moving-from-express-session.md do what they say. Their code is run as it stands there.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { once } = require("node:events");
const { after, before, test } = require("node:test");

const express = require("express");

const session = require("..");
const { wire } = require("./support/cookies");

const STEPS = fs
  .readFileSync(path.join(__dirname, "../../../docs/moving-from-express-session.md"), "utf8")
  .split(/^##+ /m)
  .filter((section) => /^\d/.test(section));

/** The code of a step as it is once its diffs are applied. */
const code = (step) =>
  [...STEPS[step - 1].matchAll(/^```diff\n(.*?)^```/gms)]
    .flatMap(([, diff]) => diff.trimEnd().split("\n"))
    .filter((line) => !line.startsWith("-"))
    .map((line) => line.slice(1));

const option = (step, name) => {
  const lines = code(step);
  const start = lines.findIndex((line) => line.startsWith(`  ${name}:`));
  assert.notEqual(start, -1, `step ${step} has no ${name}`);
  const end = lines[start].endsWith("{") ? lines.indexOf("  },", start) : start;
  return lines.slice(start, end + 1).join("\n");
};

const SESSION = "app.use(session({ … }));";
const HARDENED = [
  ...code(4).filter((line) => line.startsWith("app.set(")),
  code(8).join("\n").replace(SESSION, () => `app.use(session({
    store,
    ${["name", "resave", "saveUninitialized"].map((name) => option(1, name)).join("\n")}
    ${option(2, "secret")}
    ${option(4, "cookie")}
    ${option(5, "rolling")}
  }));`),
  code(6).join("\n").replace(SESSION, ""),
  code(7).join("\n"),
].join("\n");

const store = new session.MemoryStore();
const ORIGIN = "https://app.example.com";
let server;

before(async () => {
  const app = express();
  const environment = { SESSION_SECRET: "the new one", SESSION_SECRET_OLD: "the old one", ORIGIN };
  const verify = async () => ({ id: "ada" });
  new Function("app", "session", "store", "process", "verify", HARDENED)(app, session, store, { env: environment }, verify);
  app.get("/", (req, res) => res.json(req.session.userId ?? null));
  app.get("/cart", (req, res) => {
    req.session.cart = ["tea"];
    res.json(req.session.cart);
  });
  server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => {
  server.closeAllConnections();
  server.close();
});

async function ask(path, { cookie, headers = {}, method = "GET", proto = "https" } = {}) {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}${path}`, {
    headers: { "X-Forwarded-Proto": proto, ...(cookie && { cookie }), ...headers },
    method,
    redirect: "manual",
  });
  return { status: answer.status, body: await answer.text(), setCookie: answer.headers.get("set-cookie") };
}

const post = (path, cookie, headers = { "Sec-Fetch-Site": "same-origin" }) => ask(path, { cookie, headers, method: "POST" });
const pair = ({ setCookie }) => setCookie.split(";")[0];
const signIn = async () => pair(await post("/sign-in"));

test("1: nobody gets a session who has nothing to remember", async () => {
  assert.equal((await ask("/")).setCookie, null);
});

test("2: the first secret signs, the old one verifies", async () => {
  const cookie = await signIn();
  const [sid] = Object.keys(store.sessions).slice(-1);
  assert.equal(cookie, `sid=${wire(sid, "the new one")}`);
  const old = await ask("/", { cookie: `sid=${wire(sid, "the old one")}` });
  assert.deepEqual([old.body, pair(old)], ['"ada"', cookie]);
  assert.equal((await ask("/", { cookie: `sid=${wire(sid, "another")}` })).body, "null");
});

test("4: the cookie has its attributes, and is not set without https", async () => {
  const { setCookie } = await post("/sign-in");
  assert.match(setCookie, /^sid=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/);
  assert.equal((await ask("/cart", { proto: "http" })).setCookie, null);
});

test("5: each response sends the cookie with a later end", async () => {
  const cookie = await signIn();
  const ends = Date.parse(/Expires=([^;]+)/.exec((await ask("/", { cookie })).setCookie)[1]);
  assert.ok(Math.abs(ends - Date.now() - 30 * 60_000) < 60_000);
});

test("6: twelve hours after signing in it is over, however busy", async () => {
  const cookie = await signIn();
  const [sid] = Object.keys(store.sessions).slice(-1);
  const record = JSON.parse(store.sessions[sid]);
  store.sessions[sid] = JSON.stringify({ ...record, signedInAt: record.signedInAt - 12 * 3_600_000 });
  assert.equal((await ask("/", { cookie })).body, "null");
  assert.equal(store.sessions[sid], undefined);
});

test("7: signing in gives a new id and an empty session, signing out ends it", async () => {
  const visitor = pair(await ask("/cart"));
  const answer = await post("/sign-in", visitor);
  assert.equal(answer.status, 302);
  const cookie = pair(answer);
  assert.notEqual(cookie, visitor);
  assert.equal((await ask("/", { cookie: visitor })).body, "null");
  assert.equal((await ask("/", { cookie })).body, '"ada"');
  const out = await post("/sign-out", cookie);
  assert.match(out.setCookie, /^sid=; Path=\/; Expires=Thu, 01 Jan 1970/);
  assert.equal((await ask("/", { cookie })).body, "null");
});

test("8: what another site sends is refused", async () => {
  const status = async (headers) => (await post("/sign-in", undefined, headers)).status;
  for (const site of ["cross-site", "same-site", ""]) assert.equal(await status({ "Sec-Fetch-Site": site }), 403, site);
  for (const site of ["same-origin", "none"]) assert.equal(await status({ "Sec-Fetch-Site": site }), 302, site);
  assert.equal(await status({ Origin: "https://elsewhere.example" }), 403);
  assert.equal(await status({ Origin: "null" }), 403);
  assert.equal(await status({ Origin: ORIGIN }), 302);
  assert.equal(await status({}), 302);
});

// The code in docs/express-engine.md does what the page says. It is run as it stands there.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, before, test } = require("node:test");

const express = require("express");

const tenure = require("..");
const { Browser, serve } = require("./support/site");

const PAGE = fs.readFileSync(path.join(__dirname, "../../../docs/express-engine.md"), "utf8");
const BLOCKS = [...PAGE.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code);
const SECRET = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-express-docs-"));
const url = `sqlite:${path.join(folder, "sessions.db")}`;
let server;

/** The block with `words`, as a function of the names that it takes from its surroundings. */
function block(words, ...names) {
  const found = BLOCKS.filter((code) => code.includes(words));
  assert.equal(found.length, 1, `blocks with ${words}`);
  return (...values) => new Function(...names, found[0]).apply(undefined, values);
}

before(async () => {
  const environment = { SESSION_STORE: url, SESSION_SECRET: SECRET };
  const verify = async ({ user }) => (user ? { id: user } : undefined);
  const [main] = BLOCKS;
  const required = (name) => ({ express, "tenure-express": tenure })[name];
  let sessions;
  const watched = Object.assign((options) => (sessions = tenure(options)), tenure);
  const make = new Function("require", "process", "verify", `${main}; return main();`);
  const app = await make((name) => (name === "tenure-express" ? watched : required(name)), { env: environment }, verify);

  block("csrfToken()", "app", "express", "sessions")(app, express, sessions);
  block("revokeOthers(req.session)", "app", "sessions")(app, sessions);
  block("instanceof tenure.SessionError", "app", "tenure", "console")(app, tenure, { error() {} });
  server = await serve(app);
});

after(async () => {
  await server?.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const at = (place) => `${server.url}${place}`;

test("the first block signs in and out, counts, and keeps a value", async () => {
  const browser = new Browser();
  assert.deepEqual(await browser.json("GET", at("/")), { visits: 1 });
  assert.equal((await browser.send("POST", at("/theme/dark"))).status, 302);
  assert.equal((await browser.send("POST", at("/sign-in"), "user=")).status, 401);
  const signedIn = await browser.send("POST", at("/sign-in"), "user=ada&remember=on");
  assert.match(signedIn.headers.getSetCookie()[0], /Max-Age=(2592000|2591999);?/, "30 days");
  assert.deepEqual(await browser.json("GET", at("/")), { user: "ada", theme: "dark", visits: 2 });
  assert.equal((await browser.json("GET", at("/session/status"))).state, "live");
  await browser.send("POST", at("/sign-out"));
  assert.deepEqual(await browser.json("GET", at("/")), { visits: 1 });
});

test("a form is served and taken with its token, and refused without by the page's error handler", async () => {
  const browser = new Browser();
  const [, token] = /value="([^"]+)"/.exec(await (await browser.send("GET", at("/transfer"))).text());
  assert.equal((await browser.send("POST", at("/transfer"), `_csrf=${token}`)).status, 302);
  const refused = await browser.send("POST", at("/transfer"), "_csrf=another");
  assert.equal(refused.status, 403);
  assert.equal(await refused.text(), "This page is out of date. Please go back, reload it and try again.");
  assert.equal(refused.headers.get("cache-control"), "no-store");
});

test("devices are listed and ended", async () => {
  const [one, other, third] = [new Browser(), new Browser(), new Browser()];
  for (const browser of [one, other, third]) await browser.send("POST", at("/sign-in"), "user=grace");
  const listed = await one.json("GET", at("/devices"));
  assert.equal(listed.length, 3);
  assert.equal(listed.filter(({ isCurrent }) => isCurrent).length, 1);

  const [, { id }] = listed.filter(({ isCurrent }) => !isCurrent);
  await one.send("POST", at(`/devices/${id}/end`));
  assert.equal((await one.json("GET", at("/devices"))).length, 2);
  await one.send("POST", at("/password"));
  assert.equal((await one.json("GET", at("/devices"))).length, 1);
  for (const browser of [other, third]) assert.equal((await browser.json("GET", at("/"))).user, undefined);
});

test("a secret is followed", async () => {
  const file = path.join(folder, "secret");
  fs.writeFileSync(file, SECRET, { mode: 0o600 });
  const code = BLOCKS.find((code) => code.includes("secretFrom"));
  const elsewhere = code.replace("vault:secret/shop#session", `file:${file}`).replace("redis://sessions.internal", url);
  const AsyncFunction = (async () => {}).constructor;
  const secret = await new AsyncFunction("tenure", `${elsewhere}; return secret;`)(tenure);
  assert.deepEqual(
    secret.status().versions.map(({ role }) => role),
    ["current"],
  );
  await secret.refresh();
});

test("each option, code and method that the page names is there, and each that is there is named", async () => {
  const { policyOf } = require("../lib/engine/options");
  const section = (name) => PAGE.split(/^## /m).find((section) => section.startsWith(name));
  const named = [...section("Options").matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell]) => cell.match(/\w+/g));
  const known = /it knows (.*)$/.exec(messageOf(() => policyOf({ "?": 1 })))[1].split(", ");
  assert.deepEqual(named.sort(), known.sort());

  const EngineSession = require("../lib/engine/session");
  const methods = Object.getOwnPropertyNames(EngineSession.prototype).filter((name) => !["constructor", "cookie"].includes(name));
  const table = section("The session");
  for (const method of methods) assert.match(table, new RegExp(`\`${method}\\b`), method);
});

function messageOf(act) {
  try {
    act();
  } catch (error) {
    return error.message;
  }
  return assert.fail("nothing was thrown");
}

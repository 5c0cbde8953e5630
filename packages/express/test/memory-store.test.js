// The memory store hands out copies of what it has parsed once. Nobody may notice.
"use strict";

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const path = require("node:path");
const { test } = require("node:test");

const express = require("express");
const upstream = require("express-session");

const session = require("..");
const { wire } = require("./support/cookies");
const { Browser, serve } = require("./support/site");

async function open(store, handlers, options = {}) {
  const app = express();
  app.use(session({ store, secret: "keyboard cat", resave: false, saveUninitialized: false, ...options }));
  for (const [path, handler] of Object.entries(handlers)) app.get(path, handler);
  const site = await serve(app);
  const browser = new Browser();
  return { get: (path) => browser.json("GET", site.url + path), close: site.close };
}

const handlers = {
  "/begin": (req, res) => res.json(Object.assign(req.session, { list: [1], deep: { er: { n: 0 } }, text: "a" })),
  "/push": (req, res) => {
    req.session.list.push(req.session.list.length + 1);
    req.session.deep.er.n++;
    res.json("pushed");
  },
  "/look": (req, res) => {
    const { cookie, ...values } = req.session;
    res.json(values);
  },
  "/spoil": (req, res) => {
    const { list, deep } = req.session;
    res.json("spoilt");
    // After the response, so that nothing of it is saved.
    list.push("x");
    deep.er.n = "x";
  },
};

test("what a request changes deep inside is seen, and what it changes too late stays its own", async () => {
  const site = await open(new session.MemoryStore(), handlers);
  try {
    await site.get("/begin");
    await site.get("/push");
    await site.get("/spoil");
    await site.get("/push");
    assert.deepEqual(await site.get("/look"), { list: [1, 2, 3], deep: { er: { n: 2 } }, text: "a" });
  } finally {
    await site.close();
  }
});

test("what somebody puts into the store's sessions is what the next request gets", async () => {
  const store = new session.MemoryStore();
  const site = await open(store, handlers);
  try {
    await site.get("/begin");
    await site.get("/look");
    const [sid] = Object.keys(store.sessions);
    store.sessions[sid] = JSON.stringify({ ...JSON.parse(store.sessions[sid]), text: "b" });
    assert.equal((await site.get("/look")).text, "b");
    delete store.sessions[sid];
    assert.deepEqual(await site.get("/look"), {});
  } finally {
    await site.close();
  }
});

for (const [name, replace] of Object.entries({
  "store.get": (store, called) => {
    const { get } = store;
    store.get = (sid, callback) => {
      called.push(sid);
      get.call(store, sid, callback);
    };
  },
  "store.createSession": (store, called) => {
    const { createSession } = store;
    store.createSession = (req, data) => {
      called.push(req.sessionID);
      return createSession.call(store, req, data);
    };
  },
})) {
  test(`an application's own ${name} is called`, async () => {
    const store = new session.MemoryStore();
    const called = [];
    replace(store, called);
    const site = await open(store, handlers);
    try {
      await site.get("/begin");
      await site.get("/look");
      assert.deepEqual(called, Object.keys(store.sessions));
    } finally {
      await site.close();
    }
  });
}

test("an application's addition to Session hides a stored value of its name", async () => {
  const store = new session.MemoryStore();
  const site = await open(store, handlers);
  try {
    await site.get("/begin");
    await site.get("/look");
    session.Session.prototype.text = "the prototype's";
    assert.deepEqual(Object.keys(await site.get("/look")), ["list", "deep"]);
  } finally {
    delete session.Session.prototype.text;
    await site.close();
  }
});

test("more sessions than are kept parsed are all what they were", async () => {
  const store = new session.MemoryStore();
  const get = (sid) => new Promise((resolve, reject) => store.get(sid, (error, data) => (error ? reject(error) : resolve(data))));
  // 50 MB, of which 32 are kept.
  const text = "x".repeat(100_000);
  const all = Array.from({ length: 500 }, (_, at) => at);
  for (const at of all) store.set(String(at), { cookie: new session.Cookie({ maxAge: 60_000 }), at, list: [at], text });
  for (const at of [...all, 0, 499, 0, 250]) {
    const cookie = new session.Cookie({ maxAge: 120_000 });
    store.touch(String(at), { cookie });
    const { cookie: stored, ...values } = await get(String(at));
    assert.deepEqual(values, { at, list: [at], text });
    assert.equal(stored.originalMaxAge, 120_000);
    assert.equal(store.sessions[at], JSON.stringify({ cookie, at, list: [at], text }));
  }
});

const STORED = '{"cookie":{"originalMaxAge":60000,"expires":"2099-01-01T00:00:00.000Z","httpOnly":true,"path":"/"}';

for (const [what, json] of Object.entries({
  "with spaces": STORED + ', "a": 1}',
  "with an escaped letter": STORED + ',"a":"\\u0041"}',
  "with a number in other digits": STORED + ',"a":1.0}',
  "with numbers that JSON.stringify does not write": STORED + ',"a":{"zero":-0,"much":1e400}}',
  "with a name twice": STORED + ',"a":1,"a":2}',
  "with two cookies": `${STORED},${STORED.slice(1)}}`,
  "with a number for a name": STORED + ',"7":1}',
  "with __proto__": STORED + ',"__proto__":{"x":1},"a":{"__proto__":{"y":1}}}',
})) {
  test(`a record that somebody else wrote, ${what}, is read and touched as on express-session`, async () => {
    const [theirs, ours] = await Promise.all([upstream, session].map((implementation) => visitTwice(implementation, json)));
    assert.deepEqual(ours, theirs);
  });
}

/** What a handler sees in two requests, and what is stored after each. */
async function visitTwice(implementation, json) {
  const store = new implementation.MemoryStore();
  const seen = [];
  const middleware = implementation({ store, secret: "keyboard cat", resave: false, saveUninitialized: false });
  const app = express();
  app.use(middleware, (req, res) => {
    const { cookie, ...values } = req.session;
    seen.push(Object.keys(req.session), values);
    res.end();
  });
  const site = await serve(app);
  store.sessions.known = json;
  try {
    for (let times = 0; times < 2; times++) {
      await (await fetch(site.url, { headers: { cookie: `connect.sid=${wire("known", "keyboard cat")}` } })).text();
      // But for the end, which the time of the request decides, and the maxAge that drifts with it there.
      seen.push(store.sessions.known.replaceAll(/"(expires":"[^"]*"|originalMaxAge":\d+)/g, ""));
    }
  } finally {
    await site.close();
  }
  return seen;
}

test("nothing of a session stays in memory that was destroyed, cleared away, saved anew or has ended", () => {
  const program = path.join(__dirname, "support", "forgotten-records.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", program], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  for (const [way, megabytes] of Object.entries(JSON.parse(stdout))) assert.ok(megabytes < 5, `${way}: ${megabytes} MB are left`);
});

// The memory store hands out copies of what it has parsed once. Nobody may notice.
"use strict";

const assert = require("node:assert/strict");
const { setImmediate: nextTurn } = require("node:timers/promises");
const { test } = require("node:test");

const express = require("express");

const session = require("..");
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
  for (let at = 0; at < 2_500; at++) store.set(String(at), { cookie: new session.Cookie({ maxAge: 60_000 }), at, list: [at] });
  for (const at of [0, 2_499, 0, 1_200]) {
    const req = { sessionID: String(at), sessionStore: store };
    const cookie = new session.Cookie({ maxAge: 120_000 });
    store.touch(req.sessionID, { cookie });
    const { cookie: stored, ...values } = await get(req.sessionID);
    assert.deepEqual(values, { at, list: [at] });
    assert.equal(stored.originalMaxAge, 120_000);
    assert.equal(store.sessions[at], JSON.stringify({ cookie, at, list: [at] }));
  }
  await nextTurn();
});

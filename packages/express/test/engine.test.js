// What the engine's middleware promises: the session's life, its values, its errors, and the options that it refuses.
"use strict";

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { once } = require("node:events");
const { test } = require("node:test");

const express = require("express");

const tenure = require("..");
const { visitOf } = require("../lib/engine/visit");
const { COOKIE, OLDER_SECRET, SECRET, Visitor, engine, listen, milestone } = require("./support/engine");
const { startRedis } = require("./support/servers");

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function answerErrors(error, req, res, next) {
  const { code, message, text, name } = error;
  res.status(error.status ?? 500).set(error.headers ?? {}).json({ code, message, name, text });
}

/** A site of these handlers, by their routes. */
async function open(t, handlers, { store = "memory:", routes, before, ...options } = {}) {
  const sessions = await engine(store, options);
  const app = express();
  if (before) app.use(before);
  app.use("/session", sessions.routes(routes));
  app.use(sessions);
  for (const [route, handler] of Object.entries(handlers)) {
    const [method, place] = route.split(" ");
    app[method.toLowerCase()](place, handler);
  }
  app.use(answerErrors);
  const site = await listen(app);
  t.after(site.close);
  return { sessions, ...site };
}

const SITE = {
  "POST /sign-in/:user": async (req, res) => {
    await req.session.signIn(req.params.user, { remember: req.query.remember === "on", level: Number(req.query.level ?? 1) });
    res.json(req.session.id);
  },
  "POST /set/:name/:value": (req, res) => {
    req.session[req.params.name] = req.params.value;
    res.json("set");
  },
  "GET /me": (req, res) => res.json({ owner: req.session.owner ?? null, ...req.session }),
  "GET /info": (req, res) => res.json(req.session.info),
  "POST /sign-out": async (req, res) => {
    await req.session.signOut();
    res.json({ owner: req.session.owner ?? null, ...req.session });
  },
};

const setCookie = (answer) => answer.headers.getSetCookie();
const maxAge = (answer) => Number(/Max-Age=(\d+)/.exec(setCookie(answer)[0])[1]);
const isRemoved = (answer) => setCookie(answer).some((line) => line.startsWith(`${COOKIE}=;`) && line.includes("Max-Age=0"));
const secondsFrom = (value, expected) => Math.abs(value - expected) < 60;

/** Waits for something that is told soon, and by nobody's clock. */
async function until(isSo, what) {
  const deadline = Date.now() + 20_000;
  while (!isSo()) {
    assert.ok(Date.now() < deadline, what);
    await new Promise(setImmediate);
  }
}

test("a visitor to whom nothing is written gets no session and no cookie", async (t) => {
  const { url, sessions } = await open(t, SITE);
  const answer = await new Visitor().send("GET", `${url}/me`);
  assert.deepEqual([answer.status, await answer.json(), setCookie(answer)], [200, { owner: null }, []]);
  assert.equal(answer.headers.get("cache-control"), null);
  assert.deepEqual(await sessions.of("ada").list(), []);
});

test("a value begins a session, with a cookie as it should be", async (t) => {
  const { url } = await open(t, SITE);
  const visitor = new Visitor();
  const answer = await visitor.send("POST", `${url}/set/theme/dark`);
  assert.match(setCookie(answer)[0], /^__Host-session=[\w-]{64,}; /);
  for (const attribute of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"]) assert.ok(setCookie(answer)[0].includes(attribute), attribute);
  assert.ok(secondsFrom(maxAge(answer), 12 * 3600));
  assert.match(answer.headers.get("cache-control"), /no-store|no-cache|private/);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: null, theme: "dark" });
  // Neither does a request that changes nothing set it again.
  assert.deepEqual(setCookie(await visitor.send("GET", `${url}/me`)), []);
});

test("signing in renews the session, keeps its values, and clears those of another user", async (t) => {
  const { url } = await open(t, SITE);
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/set/cart/tea`);
  const planted = visitor.copy();
  const id = await visitor.json("POST", `${url}/sign-in/ada`);
  assert.notEqual(visitor.header, planted.header);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: "ada", cart: "tea" });
  assert.deepEqual(await planted.json("GET", `${url}/me`), { owner: null });
  const info = await visitor.json("GET", `${url}/info`);
  assert.deepEqual([info.id, info.owner, info.status, info.remembered, info.assuranceLevel], [id, "ada", "loaded", false, 1]);
  await visitor.json("POST", `${url}/sign-in/eve`);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: "eve" });
});

test("an owner is a string or a number, and not what cannot be one", async (t) => {
  const owners = [7, 8n, "x"];
  const wrong = [undefined, null, {}, ["ada"], true, NaN, "", "a\nb", "x".repeat(256)];
  const { url, sessions } = await open(t, {
    "POST /:list/:index": async (req, res) => {
      await req.session.signIn((req.params.list === "owners" ? owners : wrong)[req.params.index]);
      res.json(req.session.owner);
    },
  });
  for (const index of owners.keys()) assert.equal(await new Visitor().json("POST", `${url}/owners/${index}`), String(owners[index]));
  for (const index of wrong.keys()) {
    const answer = await new Visitor().send("POST", `${url}/wrong/${index}`);
    assert.equal(answer.status, 500, String(wrong[index]));
    assert.match((await answer.json()).message, /owner/);
    assert.deepEqual(setCookie(answer), []);
  }
  assert.throws(() => sessions.of(undefined), { name: "TypeError", message: /owner/ });
  assert.equal((await sessions.of(7).list()).length, 1);
});

test("a session that is remembered lives longer, and so does its cookie", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /remember": async (req, res) => {
      await req.session.remember();
      res.json(req.session.info);
    },
  });
  const visitor = new Visitor();
  const at = Date.now();
  assert.ok(secondsFrom(maxAge(await visitor.send("POST", `${url}/sign-in/ada?remember=on`)), 30 * 24 * 3600));
  const info = await visitor.json("GET", `${url}/info`);
  assert.equal(info.remembered, true);
  assert.ok(Math.abs(Date.parse(info.idleDeadline) - at - 14 * DAY) < 60_000);
  assert.ok(Math.abs(Date.parse(info.absoluteDeadline) - at - 30 * DAY) < 60_000);
  const later = new Visitor();
  await later.json("POST", `${url}/sign-in/ada`);
  assert.equal((await later.json("POST", `${url}/remember`)).remembered, true);
});

test("the timeouts are as the options say, and the cookie lives for the absolute one", async (t) => {
  const { url } = await open(t, SITE, { idleTimeout: 10 * 60_000, absoluteTimeout: HOUR });
  const visitor = new Visitor();
  const at = Date.now();
  assert.ok(secondsFrom(maxAge(await visitor.send("POST", `${url}/sign-in/ada`)), 3600));
  const info = await visitor.json("GET", `${url}/info`);
  assert.ok(Math.abs(Date.parse(info.idleDeadline) - at - 10 * 60_000) < 60_000);
  assert.ok(Math.abs(Date.parse(info.absoluteDeadline) - at - HOUR) < 60_000);
  for (const name of ["createdAt", "signedInAt", "lastSeenAt"]) assert.ok(Math.abs(Date.parse(info[name]) - at) < 60_000, name);
  const { url: brief } = await open(t, SITE, { cookie: { lifetime: "browser-session" } });
  const answer = await new Visitor().send("POST", `${brief}/sign-in/ada`);
  assert.doesNotMatch(setCookie(answer)[0], /Max-Age|Expires/i);
});

test("presets have their timeouts", async (t) => {
  for (const [preset, idle, absolute] of [["aal1", HOUR / 2, 12 * HOUR], ["aal2", HOUR, 24 * HOUR], ["aal3", HOUR / 4, 12 * HOUR]]) {
    const { url } = await open(t, { ...SITE, "GET /enter": SITE["POST /sign-in/:user"], "GET /in/:user": SITE["POST /sign-in/:user"] }, { preset });
    const visitor = new Visitor();
    await visitor.json("GET", `${url}/in/ada`);
    const info = await visitor.json("GET", `${url}/info`);
    assert.ok(Math.abs(Date.parse(info.idleDeadline) - Date.now() - idle) < 60_000, preset);
    assert.ok(Math.abs(Date.parse(info.absoluteDeadline) - Date.now() - absolute) < 60_000, preset);
  }
});

test("info has nothing of a session that is not there, and names what became of one that ended", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /out": async (req, res) => {
      await req.session.signOut();
      res.json([req.session.info, req.session.id ?? null]);
    },
    "POST /renewed": async (req, res) => {
      const before = req.session.id;
      await req.session.renew();
      res.json([req.session.info.status, req.session.id === before]);
    },
  });
  const visitor = new Visitor();
  assert.deepEqual(await visitor.json("GET", `${url}/info`), { status: "absent", remembered: false });
  await visitor.json("POST", `${url}/sign-in/ada`);
  const before = visitor.copy();
  assert.deepEqual(await visitor.json("POST", `${url}/renewed`), ["renewed", true]);
  assert.deepEqual(await before.json("GET", `${url}/me`), { owner: null });
  assert.deepEqual(await visitor.json("POST", `${url}/out`), [{ status: "destroyed", remembered: false }, null]);
});

test("how strongly and how lately the user has proved who they are", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /step-up/:level": async (req, res) => {
      await req.session.stepUp(Number(req.params.level));
      res.json(req.session.info.assuranceLevel ?? null);
    },
    "GET /within/:millis/:level": (req, res) =>
      res.json(req.session.authenticatedWithin(Number(req.params.millis), Number(req.params.level))),
  });
  const visitor = new Visitor();
  const within = (level, millis = HOUR) => visitor.json("GET", `${url}/within/${millis}/${level}`);
  assert.equal(await within(1), false);
  assert.equal(await visitor.json("POST", `${url}/step-up/2`), null, "nobody is signed in");
  await visitor.json("POST", `${url}/sign-in/ada`);
  assert.deepEqual([await within(1), await within(2), await within(1, 0)], [true, false, false]);
  const before = visitor.copy();
  assert.equal(await visitor.json("POST", `${url}/step-up/2`), 2);
  assert.deepEqual([await within(1), await within(2), await within(3)], [true, true, false]);
  assert.deepEqual(await before.json("GET", `${url}/me`), { owner: null }, "stepping up renews");
  assert.equal((await visitor.send("POST", `${url}/sign-in/ada?level=3`)).status, 200);
  assert.equal(await within(3), true);
  for (const level of ["0", "4", "257", "1.5", "4294967297", "two"]) {
    for (const [method, place] of [["POST", `/step-up/${level}`], ["GET", `/within/1/${level}`], ["POST", `/sign-in/ada?level=${level}`]]) {
      const answer = await visitor.send(method, `${url}${place}`);
      assert.equal(answer.status, 500);
      assert.equal((await answer.json()).message, "an assurance level is 1, 2 or 3 (NIST SP 800-63B)");
    }
  }
  for (const millis of ["-1", "soon"]) assert.equal((await visitor.send("GET", `${url}/within/${millis}/1`)).status, 500);
});

test("signing out ends it here and in the browser, and what is written afterwards begins a new one", async (t) => {
  const { url, sessions } = await open(t, {
    ...SITE,
    "POST /leave": async (req, res) => {
      req.session.before = true;
      await req.session.signOut();
      req.session.farewell = "bye";
      res.json(req.session.owner ?? null);
    },
    "POST /destroy": async (req, res) => {
      await req.session.destroy();
      res.json("destroyed");
    },
  });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/sign-in/ada`);
  await visitor.json("POST", `${url}/set/theme/dark`);
  const old = visitor.copy();
  assert.equal(await visitor.json("POST", `${url}/leave`), null);
  assert.notEqual(visitor.header, old.header);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: null, farewell: "bye" });
  assert.deepEqual(await old.json("GET", `${url}/me`), { owner: null });
  const answer = await visitor.send("POST", `${url}/destroy`);
  assert.ok(isRemoved(answer));
  assert.deepEqual(await sessions.of("ada").list(), []);
  // Nobody's session is ended without a complaint.
  assert.deepEqual(await new Visitor().json("POST", `${url}/sign-out`), { owner: null });
});

test("regenerate empties the session and renews it", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /regenerate": (req, res, next) =>
      req.session.regenerate((error) => {
        if (error) return next(error);
        const empty = Object.keys(req.session);
        req.session.user = "ada";
        req.session.save((error) => (error ? next(error) : res.json(empty)));
      }),
  });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/set/cart/tea`);
  const old = visitor.copy();
  assert.deepEqual(await visitor.json("POST", `${url}/regenerate`), []);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: null, user: "ada" });
  assert.deepEqual(await old.json("GET", `${url}/me`), { owner: null });
});

test("what passport calls takes a callback, which is told of errors", async (t) => {
  const redis = await startRedis();
  let isStopped = false;
  const stop = async () => {
    if (!isStopped) await redis.stop();
    isStopped = true;
  };
  t.after(stop);
  const told = (req, how) => new Promise((resolve) => {
    const returned = req.session[how]((...args) => resolve([returned === undefined, args.length, args[0]?.code ?? null]));
  });
  const { url } = await open(t, {
    ...SITE,
    "POST /call/:how": async (req, res) => {
      const outcomes = [await told(req, req.params.how)];
      res.json(outcomes);
    },
    "POST /fail": async (req, res) => {
      await stop();
      const outcomes = [];
      for (const how of ["renew", "save", "regenerate", "signOut"]) {
        req.session.value = how;
        outcomes.push(await told(req, how));
      }
      res.json(outcomes);
      failed.reach(outcomes);
    },
  }, { store: redis.url, storeDeadline: 300 });
  const failed = milestone();
  for (const how of ["save", "renew", "regenerate", "signOut", "destroy"]) {
    const visitor = new Visitor();
    await visitor.json("POST", `${url}/sign-in/ada`);
    assert.deepEqual(await visitor.json("POST", `${url}/call/${how}`), [[true, 0, null]], how);
  }
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/sign-in/ada`);
  const answer = await visitor.send("POST", `${url}/fail`);
  assert.equal(answer.status, 503, "the handler's answer is not sent");
  await failed.reached;
});

test("update works on what is stored, gives what it stored, and removes what it gives nothing for", async (t) => {
  const updates = {
    add: ["count", (count) => (count ?? 0) + 1],
    later: ["count", async (count) => (await null, count + 10)],
    object: ["cart", (cart = { items: [] }) => ({ items: [...cart.items, "tea"] })],
    remove: ["count", () => undefined],
    reserved: ["save", () => 1],
    cyclic: ["count", () => { const cycle = {}; cycle.cycle = cycle; return cycle; }],
    bigint: ["count", () => 1n],
    throwing: ["count", () => { throw new Error("not today"); }],
    rejecting: ["count", async () => { throw new Error("not tomorrow"); }],
    nothing: ["count", 5],
    proto: ["__proto__", (value) => (value ?? 0) + 1],
  };
  const { url } = await open(t, {
    ...SITE,
    "POST /update/:which": async (req, res) => {
      const [name, change] = updates[req.params.which];
      const updated = await req.session.update(name, change);
      res.json([updated ?? null, Object.getOwnPropertyDescriptor(req.session, name)?.value ?? null]);
    },
  });
  const visitor = new Visitor();
  const update = (which) => visitor.json("POST", `${url}/update/${which}`);
  const failure = async (which) => {
    const answer = await visitor.send("POST", `${url}/update/${which}`);
    return [answer.status, (await answer.json()).message];
  };
  assert.deepEqual(await update("add"), [1, 1]);
  assert.deepEqual(await update("add"), [2, 2]);
  assert.deepEqual(await update("later"), [12, 12]);
  assert.deepEqual(await update("object"), [{ items: ["tea"] }, { items: ["tea"] }]);
  assert.deepEqual(await update("object"), [{ items: ["tea", "tea"] }, { items: ["tea", "tea"] }]);
  assert.match((await failure("reserved"))[1], /^req\.session\.save can't be set: it is a method/);
  for (const which of ["cyclic", "bigint"]) assert.match((await failure(which))[1], /^req\.session\.count does not become JSON/);
  assert.deepEqual(await failure("throwing"), [500, "not today"]);
  assert.deepEqual(await failure("rejecting"), [500, "not tomorrow"]);
  assert.match((await failure("nothing"))[1], /update takes a name and a function/);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: null, count: 12, cart: { items: ["tea", "tea"] } });
  assert.deepEqual(await update("remove"), [null, null]);
  assert.deepEqual(await update("proto"), [1, 1]);
  assert.deepEqual(await update("proto"), [2, 2]);
  const { count } = await visitor.json("GET", `${url}/me`);
  assert.equal(count, undefined);
});

test("an update within an update's function, and beside others of the same request, waits for nobody", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /nested": async (req, res) => {
      const add = (count = 0) => count + 1;
      await Promise.all([
        ...Array.from({ length: 8 }, () => req.session.update("count", add)),
        req.session.update("outer", async () => req.session.update("inner", add)),
      ]);
      res.json({ ...req.session });
    },
  });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/set/a/b`);
  const answers = await Promise.all(Array.from({ length: 4 }, () => visitor.copy().send("POST", `${url}/nested`)));
  for (const answer of answers) assert.equal(answer.status, 200, await answer.text());
  const { count, inner } = await visitor.json("GET", `${url}/me`);
  assert.equal(count, 32);
  // A function that is called again does again what it does beside.
  assert.ok(inner >= 4, inner);
});

test("save tells whether what was written was kept", async (t) => {
  const { url, sessions } = await open(t, {
    ...SITE,
    "POST /save": async (req, res) => {
      req.session.value = 1;
      res.json(await req.session.save());
    },
    "POST /revoked/:how": async (req, res) => {
      await sessions.revoke(req.session.id);
      req.session.value = 2;
      if (req.params.how === "save") return res.json([await req.session.save(), { ...req.session }]);
      if (req.params.how === "update") return res.json(await req.session.update("value", () => 3));
      await req.session[req.params.how]();
      res.json("kept");
    },
  });
  assert.equal(await new Visitor().json("POST", `${url}/save`), true);
  for (const how of ["save", "update", "renew", "stepUp", "remember"]) {
    const visitor = new Visitor();
    await visitor.json("POST", `${url}/sign-in/ada`);
    const answer = await visitor.send("POST", `${url}/revoked/${how}`);
    if (how === "save") assert.deepEqual(await answer.json(), [false, {}]);
    else assert.deepEqual([how, answer.status, (await answer.json()).code], [how, 409, "EDROPPED"]);
  }
});

test("values are what JSON makes of them, each of its kind", async (t) => {
  const values = {
    text: "“ü”\u0000\ud83d\ude00", number: 1.5, zero: 0, yes: true, no: false, nothing: null, list: [1, [2]], nested: { a: { b: {} } },
    date: new Date(0), infinite: Infinity, "a b": 1, constructor: "mine", toString: "mine", hasOwnProperty: 1, 7: "seven", "": "empty", lone: "\ud800", "\u0000": "a name",
  };
  const { url } = await open(t, {
    ...SITE,
    "POST /values": (req, res) => {
      Object.assign(req.session, values);
      req.session.fn = () => {};
      req.session.missing = undefined;
      res.json("set");
    },
    "POST /delete": (req, res) => {
      delete req.session.text;
      req.session.number = undefined;
      req.session.nested.a.c = 1;
      res.json("changed");
    },
  });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/values`);
  const expected = { owner: null, ...JSON.parse(JSON.stringify(values)) };
  assert.deepEqual(await visitor.json("GET", `${url}/me`), expected);
  await visitor.json("POST", `${url}/delete`);
  const { text, number, ...rest } = expected;
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { ...rest, nested: { a: { b: {}, c: 1 } } });
});

test("a name that is no text of Unicode breaks nothing", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /lone": async (req, res) => {
      req.session["\ud800"] = 1;
      await req.session.update("\udfff", () => 2);
      res.json(Object.keys(req.session).length);
    },
  });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/lone`);
  await visitor.json("POST", `${url}/set/theme/dark`);
  assert.equal((await visitor.json("GET", `${url}/me`)).theme, "dark");
});

test("names that the session needs itself can't be set, and the error says what to do", async (t) => {
  const names = ["id", "owner", "cookie", "info", "signIn", "stepUp", "authenticatedWithin", "remember", "renew", "regenerate",
    "signOut", "destroy", "save", "update", "csrfToken"];
  const { url } = await open(t, {
    ...SITE,
    "POST /reserved/:name": (req, res) => {
      req.session[req.params.name] = "mine";
      res.json("set");
    },
    "GET /cookie": (req, res) => res.json(req.session.cookie.maxAge),
  });
  for (const name of names) {
    const answer = await new Visitor().send("POST", `${url}/reserved/${name}`);
    assert.equal(answer.status, 500);
    const { message, name: kind } = await answer.json();
    assert.equal(kind, "TypeError");
    assert.match(message, new RegExp(`^req\\.session\\.${name} can't be set: .+; for a value of your own take another name$`));
  }
  assert.match((await (await new Visitor().send("POST", `${url}/reserved/owner`)).json()).message, /signIn sets it/);
  assert.match((await (await new Visitor().send("GET", `${url}/cookie`)).json()).message, /remember\(\)/);
});

test("req.session can't be replaced, which would seem to end it", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /replace/:by": (req, res) => {
      req.session = req.params.by === "null" ? null : {};
      res.json("replaced");
    },
    "POST /remove": (req, res) => {
      delete req.session;
      res.json("removed");
    },
  });
  for (const place of ["/replace/null", "/replace/object", "/remove"]) {
    const answer = await new Visitor().send("POST", `${url}${place}`);
    assert.equal(answer.status, 500);
    if (place !== "/remove") assert.match((await answer.json()).message, /can't be replaced.*destroy\(\)/);
  }
});

test("what another program stored under the name of a method stays stored, and breaks nothing", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /foreign": (req, res) => {
      visitOf(req.session).write(["save", '"theirs"', "owner", '"eve"', "cookie", "{}", "__proto__", '{"isAdmin":true}', "plain", "1"], []);
      res.json("written");
    },
    "POST /touch": async (req, res) => {
      req.session.mine = 1;
      await req.session.save();
      res.json([Object.keys(req.session).sort(), req.session.isAdmin ?? null, typeof req.session.save]);
    },
    "GET /stored": (req, res) => res.type("json").send(visitOf(req.session).data()),
  });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/foreign`);
  assert.deepEqual(await visitor.json("POST", `${url}/touch`), [["__proto__", "mine", "plain"], null, "function"]);
  const stored = await (await visitor.send("GET", `${url}/stored`)).text();
  assert.deepEqual(Object.keys(JSON.parse(stored)).sort(), ["__proto__", "cookie", "mine", "owner", "plain", "save"]);
  assert.match(stored, /"save":"theirs"/);
});

const WITHOUT_JSON = {
  cyclic: (session) => {
    session.cyclic = {};
    session.cyclic.self = session.cyclic;
  },
  bigint: (session) => {
    session.bigint = { deep: [1n] };
  },
  throwing: (session) => {
    session.throwing = { toJSON() { throw new Error("will not"); } };
  },
};

for (const [name, spoil] of Object.entries(WITHOUT_JSON)) {
  test(`a value that does not become JSON is an error that names it: ${name}`, async (t) => {
    const { url } = await open(t, {
      ...SITE,
      "POST /end": (req, res) => {
        spoil(req.session);
        res.json("never");
      },
      "POST /save": async (req, res) => {
        spoil(req.session);
        await req.session.save();
        res.json("never");
      },
    });
    for (const place of ["/end", "/save"]) {
      const answer = await new Visitor().send("POST", `${url}${place}`);
      const { message } = await answer.json();
      assert.equal(answer.status, 500);
      assert.match(message, new RegExp(`^req\\.session\\.${name} does not become JSON: `));
      assert.deepEqual(setCookie(answer), []);
    }
  });

  test(`and so it is without a framework: ${name}`, async (t) => {
    const sessions = await engine("memory:");
    const { url, close } = await listen((req, res) => {
      sessions(req, res, (error) => {
        if (error) {
          res.statusCode = 500;
          return res.end(error.message);
        }
        spoil(req.session);
        res.setHeader("Content-Length", "5");
        res.end("never");
      });
    });
    t.after(close);
    for (let times = 0; times < 2; times++) {
      const answer = await fetch(url);
      assert.equal(answer.status, 500);
      assert.match(await answer.text(), new RegExp(`^req\\.session\\.${name} does not become JSON: `));
    }
  });
}

test("a user who has signed in keeps the new cookie, though something else could not be saved", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /spoilt": async (req, res) => {
      await req.session.signIn("ada");
      WITHOUT_JSON.cyclic(req.session);
      res.json("never");
    },
  });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/set/theme/dark`);
  const answer = await visitor.send("POST", `${url}/spoilt`);
  assert.deepEqual([answer.status, setCookie(answer).length], [500, 1]);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: "ada", theme: "dark" });
});

test("an answer that tells of a failure goes out, and is not replaced by another one", async (t) => {
  const redis = await startRedis();
  const { url } = await open(t, {
    ...SITE,
    "POST /broken": (req, res) => {
      req.session.value = 1;
      throw new Error("something else");
    },
    "POST /told": async (req, res) => {
      req.session.value = 1;
      await req.session.save().catch(() => res.status(418).json("told"));
    },
    "POST /untold": (req, res) => {
      req.session.value = 1;
      res.status(404).json("not told");
    },
  }, { store: redis.url, storeDeadline: 200 });
  await new Visitor().json("POST", `${url}/set/theme/dark`);
  await redis.stop();
  const outcome = async (place) => {
    const answer = await new Visitor().send("POST", `${url}${place}`);
    const body = await answer.json();
    return [answer.status, body.message ?? body];
  };
  assert.deepEqual(await outcome("/broken"), [500, "something else"]);
  assert.deepEqual(await outcome("/told"), [418, "told"]);
  assert.equal((await outcome("/untold"))[0], 503);
});

test("a session over the limit is refused with 413, and what was refused is never taken for saved", async (t) => {
  const big = "x".repeat(2_000);
  const { url } = await open(t, {
    ...SITE,
    "POST /big": (req, res) => {
      req.session.big = big;
      res.json("never");
    },
    "POST /caught": async (req, res) => {
      req.session.big = big;
      req.session.small = 1;
      const code = await req.session.save().catch((error) => error.code);
      delete req.session.big;
      res.json(code);
    },
    "POST /kept": async (req, res) => {
      req.session.big = big;
      await req.session.save().catch(() => {});
      res.json("never");
    },
    "POST /update": async (req, res) => res.json(await req.session.update("big", () => big)),
  }, { maxDataBytes: 1_000 });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/set/theme/dark`);
  for (const place of ["/big", "/kept", "/update"]) {
    const answer = await visitor.send("POST", `${url}${place}`);
    const { code, text, message } = await answer.json();
    assert.deepEqual([place, answer.status, code], [place, 413, "ETOOLARGE"]);
    assert.match(message, /1000/);
    assert.ok(text.length > 0 && !text.includes("\n"));
  }
  assert.equal(await visitor.json("POST", `${url}/caught`), "ETOOLARGE");
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: null, theme: "dark", small: 1 });
});

test("what a handler undoes after a save was refused is not stored", async (t) => {
  const { url } = await open(t, {
    ...SITE,
    "POST /undone": async (req, res) => {
      req.session.changed = "new";
      req.session.added = "new";
      req.session["lone \ud800"] = "new";
      delete req.session.removed;
      req.session.big = "x".repeat(70_000);
      const code = await req.session.save().catch((error) => error.code);
      req.session.changed = "old";
      req.session.removed = "old";
      for (const name of ["added", "lone \ud800", "big"]) delete req.session[name];
      res.json(code);
    },
  });
  const visitor = new Visitor();
  for (const name of ["changed", "removed"]) await visitor.json("POST", `${url}/set/${name}/old`);
  assert.equal(await visitor.json("POST", `${url}/undone`), "ETOOLARGE");
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: null, changed: "old", removed: "old" });
});

test("a user with as many sessions as the policy allows is refused, or loses the oldest", async (t) => {
  const refusing = await open(t, SITE, { sessionLimit: { most: 2, whenReached: "refuse-newest" } });
  for (let times = 0; times < 2; times++) await new Visitor().json("POST", `${refusing.url}/sign-in/ada`);
  const third = new Visitor();
  const refused = await third.send("POST", `${refusing.url}/sign-in/ada`);
  assert.deepEqual([refused.status, (await refused.json()).code], [403, "ETOOMANYSESSIONS"]);
  assert.deepEqual(await third.json("GET", `${refusing.url}/me`), { owner: null });
  assert.equal((await refusing.sessions.of("ada").list()).length, 2);

  const evicting = await open(t, SITE, { sessionLimit: { most: 2 } });
  const visitors = [new Visitor(), new Visitor(), new Visitor()];
  for (const visitor of visitors) await visitor.json("POST", `${evicting.url}/sign-in/ada`);
  const owners = [];
  for (const visitor of visitors) owners.push((await visitor.json("GET", `${evicting.url}/me`)).owner);
  assert.deepEqual(owners.sort(), ["ada", "ada", null]);
  assert.equal(owners.at(-1), null);
});

test("a store that is gone is a 503, never an empty session, and the cookie is left alone", async (t) => {
  const redis = await startRedis();
  let handled = 0;
  const { url, sessions } = await open(t, {
    ...SITE,
    "GET /count": (req, res) => {
      handled += 1;
      res.json(handled);
    },
    "POST /stop": async (req, res) => {
      await redis.stop();
      req.session.late = true;
      res.set("Location", "/elsewhere").status(201).json("the handler's");
    },
  }, { store: redis.url, storeDeadline: 500 });
  await sessions.ping();
  const visitor = new Visitor();
  const id = await visitor.json("POST", `${url}/sign-in/ada`);
  const header = visitor.header;
  const gone = async (answer) => {
    assert.equal(answer.status, 503);
    const { code, text, message } = await answer.json();
    assert.equal(code, "ESTORE");
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(answer.headers.get("location"), null);
    assert.deepEqual(setCookie(answer), []);
    assert.doesNotMatch(text, /redis/i);
    assert.match(message, /redis/i);
  };
  await gone(await visitor.send("POST", `${url}/stop`));
  await gone(await visitor.send("GET", `${url}/count`));
  assert.equal(handled, 0);
  // Somebody without a session needs no store until something is written.
  assert.equal((await new Visitor().send("GET", `${url}/count`)).status, 200);
  await gone(await new Visitor().send("POST", `${url}/set/theme/dark`));
  await gone(await visitor.send("GET", `${url}/session/status`));
  assert.equal(visitor.header, header);
  for (const call of [() => sessions.ping(), () => sessions.revoke(id), () => sessions.of("ada").list(), () => sessions.of("ada").revokeAll()]) {
    await assert.rejects(call(), (error) => {
      assert.ok(error instanceof tenure.SessionError);
      assert.deepEqual([error.code, error.status, error.expose], ["ESTORE", 503, false]);
      assert.doesNotMatch(error.message, NO_RUST);
      return true;
    });
  }
});

test("Express' own handler for errors tells when to come back, and what is not for users stays out in production", async (t) => {
  const redis = await startRedis();
  const sessions = await engine(redis.url, { storeDeadline: 300 });
  const app = express();
  app.set("env", "production");
  app.use(sessions);
  app.get("/", (req, res) => {
    req.session.value = 1;
    res.send("kept");
  });
  const { url, close } = await listen(app);
  t.after(close);
  const visitor = new Visitor();
  assert.equal((await visitor.send("GET", url)).status, 200);
  await redis.stop();
  const log = t.mock.method(console, "error", () => {});
  for (const who of [visitor, new Visitor()]) {
    const answer = await who.send("GET", url);
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
    assert.match(await answer.text(), /Service Unavailable/);
  }
  await until(() => log.mock.callCount() === 2, "errors are logged");
});

test("a cookie that is not ours is removed from the browser, and too many of them are refused", async (t) => {
  const { url } = await open(t, SITE, { guessLimit: { refused: 3, unknown: 2 } });
  const genuine = new Visitor();
  await genuine.json("POST", `${url}/sign-in/ada`);
  const forged = (index) => new Visitor([[COOKIE, genuine.cookies.get(COOKIE).replace(/.{4}$/, `AAA${index}`)]]);
  for (let index = 0; index < 3; index++) {
    const visitor = forged(index);
    const answer = await visitor.send("GET", `${url}/me`);
    assert.deepEqual(await answer.json(), { owner: null });
    assert.ok(isRemoved(answer), setCookie(answer)[0]);
    assert.equal(visitor.header, "");
  }
  const answer = await forged(4).send("GET", `${url}/me`);
  assert.deepEqual([answer.status, (await answer.json()).code], [429, "ETOOMANYGUESSES"]);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  assert.ok(isRemoved(answer));
  // Who is signed in goes on, and so does who has no cookie.
  assert.equal((await genuine.json("GET", `${url}/me`)).owner, "ada");
  assert.deepEqual(await new Visitor().json("GET", `${url}/me`), { owner: null });
});

test("what stands in front is believed as far as trustProxy says", async (t) => {
  const addresses = [];
  const handlers = { ...SITE, "GET /list": async (req, res) => res.json(await sessions.of("ada").list(req.session)) };
  const { url, sessions } = await open(t, handlers, { trustProxy: 1, recordClientAddress: true });
  const visitor = new Visitor();
  await visitor.send("POST", `${url}/sign-in/ada`, { headers: { "x-forwarded-for": "203.0.113.9, 198.51.100.7", "user-agent": "Browser/1" } });
  const [{ device, isCurrent }] = await visitor.json("GET", `${url}/list`);
  assert.deepEqual([device, isCurrent], [{ userAgent: "Browser/1", address: "198.51.100.7" }, true]);
  for (const trustProxy of [["127.0.0.0/8"], { networks: ["127.0.0.1"], headers: "forwarded" }, { hops: 1, headers: "forwarded" }]) {
    const { url, sessions } = await open(t, SITE, { trustProxy, recordClientAddress: true });
    const headers = { "x-forwarded-for": "203.0.113.9", forwarded: "for=203.0.113.9" };
    await new Visitor().send("POST", `${url}/sign-in/ada`, { headers });
    addresses.push((await sessions.of("ada").list())[0].device.address);
  }
  assert.deepEqual(addresses, ["203.0.113.9", "203.0.113.9", "203.0.113.9"]);
  const nobody = await open(t, SITE, { recordClientAddress: true });
  await new Visitor().send("POST", `${nobody.url}/sign-in/ada`, { headers: { "x-forwarded-for": "203.0.113.9" } });
  assert.equal((await nobody.sessions.of("ada").list())[0].device.address, "127.0.0.1");
});

test("a user's sessions are listed and ended, the current one marked and spared", async (t) => {
  const { url, sessions } = await open(t, {
    ...SITE,
    "GET /devices": async (req, res) => res.json(await sessions.of(req.session.owner).list(req.session)),
    "POST /revoke/:id": async (req, res) => res.json(await sessions.of(req.session.owner).revoke(req.params.id)),
    "POST /revoke-others": async (req, res) => res.json(await sessions.of(req.session.owner).revokeOthers(req.session)),
    "POST /revoke-others-of-nobody": async (req, res) => res.json(await sessions.of(req.session.owner).revokeOthers()),
  });
  const devices = Array.from({ length: 4 }, () => new Visitor());
  const ids = [];
  for (const [index, device] of devices.entries()) {
    const answer = await device.send("POST", `${url}/sign-in/ada`, { headers: { "user-agent": `Browser/${index}` } });
    ids.push(await answer.json());
  }
  const stranger = new Visitor();
  const theirs = await stranger.json("POST", `${url}/sign-in/eve`);
  const listed = await devices[1].json("GET", `${url}/devices`);
  assert.deepEqual(listed.map(({ id }) => id).sort(), [...ids].sort());
  assert.deepEqual(listed.filter(({ isCurrent }) => isCurrent).map(({ id }) => id), [ids[1]]);
  for (const session of await sessions.of("ada").list()) {
    assert.equal(session.isCurrent, false);
    assert.match(session.device.userAgent, /^Browser\/\d$/);
    for (const time of ["createdAt", "signedInAt", "lastSeenAt", "idleDeadline", "absoluteDeadline"]) assert.ok(session[time] instanceof Date, time);
  }
  const isSignedIn = async (device) => (await device.json("GET", `${url}/me`)).owner !== null;
  assert.equal(await devices[1].json("POST", `${url}/revoke/${ids[0]}`), true);
  assert.equal(await isSignedIn(devices[0]), false);
  assert.equal(await devices[1].json("POST", `${url}/revoke/${ids[0]}`), false);
  assert.equal(await devices[1].json("POST", `${url}/revoke/${theirs}`), false, "another's session");
  assert.equal(await devices[1].json("POST", `${url}/revoke/nonsense`), false);
  assert.match((await (await devices[1].send("POST", `${url}/revoke-others-of-nobody`)).json()).message, /req\.session/);
  assert.equal(await devices[1].json("POST", `${url}/revoke-others`), 2);
  assert.deepEqual([await isSignedIn(devices[1]), await isSignedIn(devices[2]), await isSignedIn(stranger)], [true, false, true]);
  assert.equal(await sessions.revoke(theirs), true);
  assert.equal(await sessions.revoke(theirs), false);
  assert.equal(await sessions.of("ada").revokeAll(), 1);
  assert.equal(await isSignedIn(devices[1]), false);
  assert.equal(typeof (await sessions.sweep()), "number");
  assert.equal(await sessions.ping(), undefined);
});

test("a new secret in front of the old one signs nobody out, and the browser gets a cookie under it", async (t) => {
  const store = await tenure.connect("memory:");
  const before = await open(t, SITE, { store, secret: OLDER_SECRET });
  const during = await open(t, SITE, { store, secret: [Buffer.from(SECRET), OLDER_SECRET] });
  const afterwards = await open(t, SITE, { store, secret: SECRET });
  const [visitor, absent] = [new Visitor(), new Visitor()];
  await visitor.json("POST", `${before.url}/sign-in/ada`);
  await absent.json("POST", `${before.url}/sign-in/eve`);
  const old = visitor.header;
  assert.equal((await visitor.json("GET", `${during.url}/me`)).owner, "ada");
  assert.notEqual(visitor.header, old);
  assert.equal((await visitor.json("GET", `${afterwards.url}/me`)).owner, "ada");
  assert.equal((await absent.json("GET", `${afterwards.url}/me`)).owner, null);
});

test("secrets follow their place: a new one is noticed, and signs nobody out", async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-secrets-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, "session");
  const write = (...secrets) => {
    fs.writeFileSync(`${file}.new`, `${secrets.join("\n")}\n`, { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
  };
  write(OLDER_SECRET);
  const secret = await tenure.secretFrom(`file:${file}`, { refreshEvery: 60_000, propagationDelay: 120_000 });
  const { url } = await open(t, SITE, { secret });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/sign-in/ada`);
  assert.deepEqual(secret.status().versions.map(({ role }) => role), ["current"]);
  write(SECRET, OLDER_SECRET);
  await secret.refresh();
  const { source, failing, versions, lastSuccessAt } = secret.status();
  assert.deepEqual(versions.map(({ role }) => role).sort(), ["current", "upcoming"]);
  assert.equal(source, `file:${file}`);
  assert.equal(failing, undefined);
  assert.ok(lastSuccessAt instanceof Date && Math.abs(lastSuccessAt - Date.now()) < 60_000);
  assert.equal((await visitor.json("GET", `${url}/me`)).owner, "ada");
  fs.rmSync(file);
  await assert.rejects(secret.refresh(), (error) => !/\w_\w|::/.test(error.message.replaceAll(file, "")));
  assert.notEqual(secret.status().failing, undefined);
  assert.equal((await visitor.json("GET", `${url}/me`)).owner, "ada", "what is known goes on");
});

test("a place for secrets that can't be used is refused, and options that it does not know", async () => {
  await assert.rejects(tenure.secretFrom("env:TENURE_NOT_SET"), /TENURE_NOT_SET/);
  await assert.rejects(tenure.secretFrom("nowhere:x"), /nowhere/);
  await assert.rejects(tenure.secretFrom(), { name: "TypeError", message: /URL/ });
  await assert.rejects(tenure.secretFrom("env:X", { refreshInterval: 1 }), { name: "TypeError", message: /refreshInterval.*refreshEvery/ });
  await assert.rejects(tenure.secretFrom("env:X", { refreshEvery: "1h" }), { name: "TypeError", message: /refreshEvery.*milliseconds/ });
  process.env.TENURE_TEST_SECRET = SECRET;
  const secret = await tenure.secretFrom("env:TENURE_TEST_SECRET", { longestLifetime: HOUR });
  delete process.env.TENURE_TEST_SECRET;
  await assert.rejects(engine("memory:", { secret }), /longestLifetime/);
});

const NO_RUST = /\w_\w|::|TENURE/;
/** What has an underscore in JavaScript, too. */
const withoutOurs = (text) => text.replaceAll("NODE_ENV", "").replaceAll("__Host-", "").replaceAll("__Secure-", "");

test("a set-up that is not fit for production is refused as a whole, in the words of its options", async () => {
  const store = await tenure.connect("memory:");
  const wrong = {
    store,
    secret: "keyboard cat",
    environment: "production",
    cookie: { secure: false, httpOnly: false, name: "sid" },
    originCheck: "off",
    trustedOrigins: ["http://app.example"],
  };
  assert.throws(() => tenure(wrong), (error) => {
    for (const word of [/memory store/, /secret/, /Secure/, /HttpOnly/, /originCheck/, /http:\/\/app\.example/]) assert.match(error.message, word);
    assert.doesNotMatch(withoutOurs(error.message), NO_RUST);
    assert.match(error.message, /NODE_ENV=development/);
    return true;
  });
  for (const environment of [undefined, "production"]) {
    const program = `
      const tenure = require(${JSON.stringify(require.resolve(".."))});
      tenure.connect("memory:").then((store) => tenure({ store, secret: ${JSON.stringify(SECRET)} })).catch((error) => console.log(error.message));
    `;
    const { NODE_ENV, ...env } = process.env;
    const { stdout } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8", env: { ...env, ...(environment && { NODE_ENV: environment }) } });
    assert.match(stdout, /memory store .* production refuses it/);
  }
  for (const environment of ["development", "test"]) {
    const program = `
      const tenure = require(${JSON.stringify(require.resolve(".."))});
      tenure.connect("memory:").then((store) => tenure({ store, secret: ${JSON.stringify(SECRET)} })).then((sessions) => console.log(typeof sessions));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8", env: { ...process.env, NODE_ENV: environment } });
    assert.deepEqual([stdout, stderr], ["function\n", ""]);
  }
});

test("every problem of a set-up is told in the words of its options", async () => {
  const store = await tenure.connect("memory:");
  const wrong = [
    { idleTimeout: 13 * HOUR },
    { rememberedIdleTimeout: 31 * DAY },
    { absoluteTimeout: 0 },
    { absoluteTimeout: 500 * DAY },
    { touchInterval: HOUR },
    { renewEvery: 1_000, renewalGrace: 2_000 },
    { storeDeadline: 0 },
    { maxDataBytes: 2 ** 24 },
    { cookie: { name: "__Host-s", domain: "app.example" } },
    { cookie: { name: "__Host-s", path: "/admin" } },
    { cookie: { secure: false } },
    { cookie: { name: "s", secure: false, sameSite: "none" } },
    { cookie: { name: "s", secure: false, partitioned: true } },
    { cookie: { name: "a b" } },
    { cookie: { name: "s", path: "admin" } },
    { cookie: { name: "s", domain: "a b" } },
    { cookie: { name: "s".repeat(5_000) } },
    { trustedOrigins: ["app.example"] },
    { csrfExemptPaths: ["/*"] },
    { secret: "" },
    { secret: "a".repeat(40) },
    { secret: [SECRET, "short"] },
    { secret: [] },
    { sessionLimit: { most: 0 } },
    { guessLimit: { refused: 0, unknown: 1 } },
    { trustProxy: ["nonsense"] },
    { trustProxy: { hops: 1, networks: ["10.0.0.0/8"] } },
    { preset: "aal4" },
    { originCheck: "maybe" },
    { csrfTokens: "sometimes" },
    { cookie: { sameSite: "strictly" } },
    { cookie: { lifetime: "long" } },
  ];
  for (const options of wrong) {
    assert.throws(() => tenure({ store, secret: SECRET, environment: "development", ...options }), (error) => {
      assert.doesNotMatch(withoutOurs(error.message), NO_RUST);
      return true;
    }, JSON.stringify(options).slice(0, 100));
  }
});

test("options are refused by name: unknown ones, those of the drop-in, and those of the wrong type", async () => {
  const store = await tenure.connect("memory:");
  const refused = (options, message) =>
    assert.throws(() => tenure({ store, secret: SECRET, environment: "development", ...options }), { name: "TypeError", message });
  refused({ idleTimeOut: 1 }, /^there is no option idleTimeOut; it knows .*idleTimeout/);
  for (const name of ["resave", "saveUninitialized", "rolling", "genid", "name", "proxy", "unset"]) refused({ [name]: false }, new RegExp(`no option ${name}`));
  refused({ cookie: { maxAge: 1 } }, /^there is no option cookie\.maxAge; it knows .*lifetime/);
  refused({ cookie: "a=b" }, /option cookie is an object/);
  refused({ cookie: null }, /option cookie is an object/);
  for (const value of ["30m", -1, NaN, Infinity, null, new Date()]) refused({ idleTimeout: value }, /^the option idleTimeout is a time in milliseconds/);
  refused({ renewEvery: "1h" }, /^the option renewEvery is a time/);
  refused({ sealed: 1 }, /^the option sealed is true or false/);
  refused({ trustedOrigins: "https://a.example" }, /^the option trustedOrigins is an array of strings/);
  refused({ csrfTokens: true }, /^the option csrfTokens is a string/);
  refused({ maxDataBytes: 1.5 }, /^the option maxDataBytes is a whole number/);
  refused({ sessionLimit: 5 }, /^the option sessionLimit is an object/);
  refused({ sessionLimit: { most: 2, whenReached: "wait" } }, /^the option sessionLimit\.whenReached is/);
  refused({ sessionLimit: {} }, /^the option sessionLimit\.most is/);
  refused({ guessLimit: { refused: 1 } }, /^the option guessLimit\.unknown is/);
  refused({ guessLimit: null }, /^the option guessLimit is/);
  refused({ trustProxy: true }, /^the option trustProxy is/);
  refused({ trustProxy: { hops: 1, headers: "via" } }, /^the option trustProxy\.headers is/);
  refused({ environment: "staging" }, /^the option environment is "production" or "development"/);
  refused({ onEvent: "log" }, /^the option onEvent is a function/);
  refused({ passive: true }, /^the option passive is a function/);
  for (const secret of [undefined, null, 7, {}, [SECRET, 7]]) refused({ secret }, /^the option secret is/);
});

test("options of the engine without its store are refused, for they would protect nobody", async () => {
  const drop = { secret: SECRET, resave: false, saveUninitialized: false };
  assert.throws(() => tenure({ ...drop, idleTimeout: 1 }), { name: "TypeError", message: /idleTimeout.*store: await tenure\.connect/ });
  assert.throws(() => tenure({ ...drop, store: new tenure.MemoryStore(), csrfTokens: "demanded" }), { message: /csrfTokens/ });
  const forgotten = tenure.connect("memory:");
  assert.throws(() => tenure({ store: forgotten, secret: SECRET }), { name: "TypeError", message: /promise.*await tenure\.connect/ });
  await forgotten;
});

test("a store that can't be had says why, without its password", async () => {
  await assert.rejects(tenure.connect("nosuch://x"), /nosuch/);
  await assert.rejects(tenure.connect("hunter2"), (error) => !error.message.includes("hunter2"));
  await assert.rejects(tenure.connect(), { name: "TypeError", message: /URL/ });
  await assert.rejects(tenure.connect(new URL("redis://localhost")), { name: "TypeError" });
  await assert.rejects(tenure.connect("sqlite:/no/such/folder/sessions.db"), (error) => {
    assert.doesNotMatch(error.message.replaceAll("/no/such/folder/sessions.db", ""), NO_RUST);
    return true;
  });
});

test("events tell of a session's life to a function, which may fail", async (t) => {
  const events = [];
  const warnings = [];
  const warn = (warning) => warnings.push(warning.message);
  process.on("warning", warn);
  t.after(() => process.removeListener("warning", warn));
  const { url, sessions } = await open(t, SITE, {
    onEvent(event) {
      events.push(event);
      if (event.name === "session_created") throw new Error("no room");
      if (event.name === "session_signed_in") throw undefined;
      if (event.name === "session_signed_out") return Promise.reject(new Error("nor here"));
    },
  });
  const visitor = new Visitor();
  const at = Date.now();
  const id = await (await visitor.send("POST", `${url}/sign-in/ada`, { headers: { "user-agent": "Browser/1" } })).json();
  await visitor.json("POST", `${url}/sign-out`);
  await new Visitor([[COOKIE, "forged"]]).send("GET", `${url}/me`);
  await sessions.of("ada").revokeAll();
  const named = (name) => events.find((event) => event.name === name);
  await until(() => named("session_cookie_refused") && named("session_signed_out") && warnings.length >= 3, "events come");
  assert.deepEqual([named("session_signed_in").session, named("session_signed_in").owner], [id, "ada"]);
  assert.ok(Math.abs(named("session_created").at - at) < 60_000 && named("session_created").at instanceof Date);
  assert.equal(named("session_cookie_refused").reason, "malformed");
  assert.equal(named("session_signed_in").client.userAgent, "Browser/1");
  for (const event of events) assert.ok(Object.values(event).every((value) => value != null), JSON.stringify(event));
  assert.doesNotMatch(JSON.stringify(events), new RegExp(visitor.header || "forged"));
  assert.deepEqual(warnings.sort(), ["no room", "nor here", "undefined"]);
  assert.equal(sessions.eventsDropped(), 0);
});

test("the routes tell of the session without touching it, extend it, and sign out", async (t) => {
  const { url } = await open(t, SITE, { routes: { clearSiteData: true }, touchInterval: 0 });
  const visitor = new Visitor();
  const status = (who = visitor) => who.json("GET", `${url}/session/status?x=1`);
  const nobody = await status(new Visitor());
  assert.deepEqual([nobody.state, nobody.reason], ["none", "no-cookie"]);
  await visitor.json("POST", `${url}/sign-in/ada`);
  const first = await status();
  assert.deepEqual([first.state, first.signed_in, first.lifetime], ["live", true, "standard"]);
  assert.equal((await status()).idle_deadline, first.idle_deadline, "a look is no activity");
  const post = (place, headers = { "sec-fetch-site": "same-origin" }) => visitor.send("POST", `${url}/session${place}`, { headers });
  for (const headers of [{}, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { origin: "https://evil.example" }]) {
    assert.equal((await post("/extend", headers)).status, 403);
    assert.equal((await post("/sign-out", headers)).status, 403);
  }
  const extended = await (await post("/extend", { origin: url })).json();
  assert.ok(extended.idle_deadline >= first.idle_deadline);
  assert.equal((await visitor.send("POST", `${url}/session/status`)).status, 405);
  const wrong = await visitor.send("GET", `${url}/session/sign-out`);
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
  assert.equal((await visitor.send("GET", `${url}/session/other`)).status, 404);
  assert.equal((await visitor.json("GET", `${url}/me`)).owner, "ada");
  const out = await post("/sign-out");
  assert.equal(out.status, 200);
  assert.match(out.headers.get("clear-site-data"), /"/);
  assert.ok(isRemoved(out));
  assert.equal((await out.json()).state, "none");
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: null });
  assert.equal(out.headers.get("cache-control"), "no-store");
});

test("routes that are mounted too late say so", async (t) => {
  const sessions = await engine("memory:");
  const app = express();
  app.use(sessions);
  app.use("/session", sessions.routes());
  app.use(answerErrors);
  const { url, close } = await listen(app);
  t.after(close);
  const answer = await fetch(`${url}/session/status`);
  assert.equal(answer.status, 500);
  assert.match((await answer.json()).message, /mount the routes first/);
});

test("routes leave alone a response that somebody else has sent before the session was loaded", async (t) => {
  const rejections = [];
  const note = (reason) => rejections.push(reason);
  process.on("unhandledRejection", note);
  t.after(() => process.off("unhandledRejection", note));
  const errors = [];
  const sessions = await engine("memory:");
  const app = express();
  app.use("/impatient", (req, res, next) => {
    next();
    res.status(503).json("too slow");
  });
  app.use(["/session", "/impatient"], sessions.routes({ clearSiteData: true }));
  app.use(sessions);
  app.post("/sign-in/:user", SITE["POST /sign-in/:user"]);
  app.get("/me", SITE["GET /me"]);
  app.use((error, req, res, next) => errors.push(error));
  const { url, close } = await listen(app);
  t.after(close);
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/sign-in/ada`);
  const headers = { "sec-fetch-site": "same-origin" };
  for (const [method, place] of [["GET", "/status"], ["POST", "/extend"], ["POST", "/sign-out"]]) {
    assert.equal((await visitor.send(method, `${url}/impatient${place}`, { headers })).status, 503);
  }
  assert.equal((await visitor.json("GET", `${url}/session/status`)).signed_in, true);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), { owner: "ada" });
  assert.deepEqual([rejections, errors], [[], []]);
});

test("a request that is passive by the option slides nothing", async (t) => {
  const events = [];
  const { url } = await open(t, SITE, { passive: (req) => req.url === "/info", touchInterval: 0, onEvent: (event) => events.push(event) });
  const visitor = new Visitor();
  await visitor.json("POST", `${url}/sign-in/ada`);
  const first = await visitor.json("GET", `${url}/info`);
  await until(() => Date.now() > Date.parse(first.lastSeenAt), "the clock goes on");
  assert.equal((await visitor.json("GET", `${url}/info`)).lastSeenAt, first.lastSeenAt);
  await visitor.json("GET", `${url}/me`);
  assert.notEqual((await visitor.json("GET", `${url}/info`)).lastSeenAt, first.lastSeenAt);
});

test("the middleware twice on a request is once, and beside another kind of sessions it is refused", async (t) => {
  const sessions = await engine("memory:");
  const app = express();
  app.use("/twice", sessions, sessions, (req, res) => {
    req.session.count = 1;
    res.json(sessions.from(req) === req.session);
  });
  app.use("/both", tenure({ secret: SECRET, resave: false, saveUninitialized: false }), sessions, (req, res) => res.json("never"));
  app.get("/none", (req, res) => res.json(sessions.from(req)));
  app.get("/no-token", sessions.requireCsrfToken, (req, res) => res.json("never"));
  app.use(answerErrors);
  const { url, close } = await listen(app);
  t.after(close);
  const visitor = new Visitor();
  assert.equal(await visitor.json("GET", `${url}/twice`), true);
  assert.match((await (await visitor.send("GET", `${url}/both`)).json()).message, /by another middleware/);
  for (const place of ["/none", "/no-token"]) assert.match((await (await visitor.send("GET", `${url}${place}`)).json()).message, /app\.use\(sessions\)/);
});

test("targets that nobody's parser likes crash nothing", async (t) => {
  const sessions = await engine("memory:");
  const routes = sessions.routes();
  const { port, close } = await listen((req, res) => {
    const answer = (error) => {
      res.statusCode = error ? 500 : 204;
      res.end();
    };
    routes(req, res, () => sessions(req, res, answer));
  });
  t.after(close);
  const targets = ["http://[", "http://[::1", "http://a:b:c/", "//a", "*", "/%", "/status%", "http://h/status", "/\\status", `/${"a".repeat(8_000)}`, "/status"];
  const socket = net.connect(port, "127.0.0.1");
  let answers = "";
  socket.on("data", (chunk) => (answers += chunk));
  const methods = ["GET", "POST", "PROPFIND"];
  for (const target of targets) for (const method of methods) socket.write(`${method} ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
  socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  await once(socket, "close");
  const statuses = answers.match(/HTTP\/1\.1 \d+/g).map((line) => line.slice(9));
  assert.equal(statuses.length, targets.length * methods.length + 1);
  assert.deepEqual(statuses.filter((status) => status.startsWith("5")), []);
  assert.equal(statuses.filter((status) => status === "200").length, 2, "/status, as a path and as a whole URL");
});

test("broken Cookie headers are never a 5xx, whatever their bytes", async (t) => {
  const { randomness } = require("./support/randomness");
  const sessions = await engine("memory:", { guessLimit: "unlimited" });
  const { port, close } = await listen((req, res) =>
    sessions(req, res, (error) => {
      res.statusCode = error ? 500 : 204;
      res.end();
    }),
  );
  t.after(close);
  const random = randomness(0xc00c1e);
  const socket = net.connect(port, "127.0.0.1");
  let answers = "";
  socket.on("data", (chunk) => (answers += chunk.toString("latin1")));
  let sent = 0;
  while (sent < 2_000) {
    const header = `${random.pick(["", "a=b; ", `${COOKIE}=x; `])}${COOKIE}=${random.text(60)}`;
    // What Node's parser refuses never gets to the middleware.
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(header)) continue;
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${header}\r\n\r\n`, "latin1");
    sent += 1;
  }
  socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  await once(socket, "close");
  const statuses = answers.match(/^HTTP\/1\.1 \d+/gm);
  assert.deepEqual([statuses.length, [...new Set(statuses)]], [sent + 1, ["HTTP/1.1 204"]]);
});

test("passport signs in and out on it", async (t) => {
  const passport = require("passport");
  const { Strategy } = require("passport-local");
  const authenticator = new passport.Passport();
  authenticator.use(new Strategy((name, password, done) => done(null, password === "right" ? { name } : false)));
  authenticator.serializeUser((user, done) => done(null, user.name));
  authenticator.deserializeUser((name, done) => done(null, { name }));
  const sessions = await engine("memory:");
  const app = express();
  app.use(sessions, express.urlencoded({ extended: false }), authenticator.session());
  app.post("/sign-in", authenticator.authenticate("local"), async (req, res) => {
    await req.session.signIn(req.user.name);
    res.json(req.user);
  });
  app.get("/me", (req, res) => res.json([req.user?.name ?? null, req.session.owner ?? null]));
  app.post("/sign-out", (req, res, next) => req.logout((error) => (error ? next(error) : req.session.signOut(() => res.json("bye")))));
  app.use(answerErrors);
  const { url, close } = await listen(app);
  t.after(close);
  const visitor = new Visitor();
  const form = (password) => ({ headers: { "content-type": "application/x-www-form-urlencoded" }, body: `username=ada&password=${password}` });
  assert.equal((await visitor.send("POST", `${url}/sign-in`, form("wrong"))).status, 401);
  assert.equal((await visitor.send("POST", `${url}/sign-in`, form("right"))).status, 200);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), ["ada", "ada"]);
  assert.equal((await visitor.send("POST", `${url}/sign-out`)).status, 200);
  assert.deepEqual(await visitor.json("GET", `${url}/me`), [null, null]);
});

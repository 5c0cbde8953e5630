// What strangers send, and what stands in stores: nothing of it crashes, and each means what it means to express-session.
"use strict";

const assert = require("node:assert/strict");
const http = require("node:http");
const { mock, test } = require("node:test");

const upstream = require("express-session");
const ours = require("..");
const { wire } = require("./support/cookies");
const { randomness } = require("./support/randomness");

const SECRETS = ["keyboard cat", "an older cat"];
const HEADERS = 20_000;
const RECORDS = 5_000;

/** Runs the middleware without a server: what it asked the store for, and what `next` was told. */
function visitor(implementation, record) {
  const asked = [];
  const store = new implementation.Store();
  store.get = (sid, callback) => {
    asked.push(sid);
    callback(null, record());
  };
  store.set = store.destroy = (sid, ...rest) => rest.at(-1)(null);
  const genid = () => "made";
  const middleware = implementation({ store, genid, secret: SECRETS, resave: false, saveUninitialized: false });
  return (cookie) => {
    asked.length = 0;
    const req = new http.IncomingMessage(null);
    Object.assign(req, { method: "GET", url: "/", connection: {}, headers: { cookie } });
    const res = new http.ServerResponse(req);
    let told = "nothing";
    const next = (error) => (told = error ? `${error.name}: ${error.message}` : "go on");
    middleware(req, res, next);
    const session = req.session && JSON.stringify(req.session);
    if (req.session) {
      req.session.seen = true;
      res.end("x");
    }
    return { asked: [...asked], told, sid: req.sessionID, session, cookie: res.getHeader("set-cookie") };
  };
}

test(`${HEADERS} broken Cookie headers are read as express-session reads them`, () => {
  const random = randomness(0x7e9);
  const record = () => ({ cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: "/" }, n: 1 });
  const here = visitor(ours, record);
  const there = visitor(upstream, record);

  const pieces = () =>
    random.pick([
      () => `connect.sid=${wire(random.pick(["known", "", "a.b", "é", "s:"]), random.pick([...SECRETS, "no"]))}`,
      () => `connect.sid=${random.text(20)}`,
      () => `connect.sid="${wire("known", SECRETS[0])}"`,
      () => `connect.sid=s%3A${random.text(60)}`,
      () => `${random.text(8)}=${random.text(8)}`,
      () => random.text(30),
      () => "",
    ])();
  let known = 0;
  for (let run = 0; run < HEADERS; run++) {
    let header = Array.from({ length: random.below(4) }, pieces).join(random.pick(["; ", ";", ",", " ", ""]));
    for (let times = random.below(3); times > 0; times--) {
      const at = random.below(header.length + 1);
      header = header.slice(0, at) + random.pick(["", random.text(1), header.slice(at, at + 9)]) + header.slice(at + random.below(2));
    }
    const mine = here(header);
    assert.deepEqual(mine, there(header), `seed 0x7e9, run ${run}: ${JSON.stringify(header)}`);
    if (mine.asked.length) known++;
  }
  // Else they would all be noise.
  assert.ok(known > HEADERS / 20 && known < HEADERS / 2, `${known} were genuine`);
});

test(`${RECORDS} broken records are refused where express-session refuses them`, (t) => {
  // Both run in the same millisecond.
  mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 0, 1) });
  t.after(() => mock.timers.reset());
  const random = randomness(0x5e55);
  const cookie = `connect.sid=${wire("known", SECRETS[0])}`;
  let json;
  const record = () => (json === undefined ? undefined : JSON.parse(json));
  const here = visitor(ours, record);
  const there = visitor(upstream, record);

  const value = (depth = 0) =>
    random.pick([
      () => null,
      () => random.text(6),
      () => random.below(2 ** 31) - 2 ** 30,
      () => random.below(2) === 1,
      () => new Date(random.below(2 ** 31) * 1000).toISOString(),
      () => (depth > 2 ? [] : [value(depth + 1), value(depth + 1)]),
      () => (depth > 2 ? {} : object(depth + 1)),
    ])();
  const NAMES = [
    "cookie", "originalMaxAge", "expires", "maxAge", "httpOnly", "path", "data", "__proto__", "constructor", "toJSON",
    "save", "id", "req", "toString", "user",
  ];
  function object(depth = 0) {
    const made = {};
    for (let times = random.below(5); times > 0; times--) {
      Object.defineProperty(made, random.pick(NAMES), { value: value(depth), enumerable: true, configurable: true, writable: true });
    }
    return made;
  }
  for (let run = 0; run < RECORDS; run++) {
    const made = random.below(4) === 0 ? value() : { ...object(), cookie: random.below(8) ? object() : value() };
    json = JSON.stringify(made);
    const [mine, theirs] = [outcome(here, cookie), outcome(there, cookie)];
    assert.deepEqual(mine, theirs, `seed 0x5e55, run ${run}: ${json}`);
  }
});

function outcome(visit, cookie) {
  try {
    return visit(cookie);
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

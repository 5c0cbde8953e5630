// Hundreds of combinations of options, cookies, handlers, stores and protocols: nothing differs from express-session.
"use strict";

const { test } = require("node:test");

const { ENDS } = require("./support/actions");
const { compare } = require("./support/compare");
const { STATES } = require("./support/cookies");
const { randomness } = require("./support/randomness");

const SCENARIOS = 400;
/** Those with the memory store as it is, of which a session is loaded in a quicker way than of any other. */
const OF_MEMORY = 100;

const COOKIES = [
  undefined, {}, { maxAge: 60_000 }, { maxAge: 0 }, { secure: true }, { secure: "auto" }, { sameSite: "lax", path: "/admin" },
  { sameSite: "auto", secure: "auto", maxAge: 1_000 }, { httpOnly: false, domain: "app.test", priority: "high", partitioned: true },
  { sameSite: true, maxAge: 3_600_000, priority: "medium" }, { sameSite: "none", secure: true }, { sameSite: false },
  { expires: new Date(Date.UTC(2027, 0, 1)) }, { path: "" }, { sameSite: "bogus" }, { signed: true, other: { deep: 1 } },
];
const HANDLERS = [
  [], ["read"], ["write"], ["write equal"], ["write and undo"], ["write deep"], ["write undefined"], ["write a date"], ["remove"],
  ["write large"], ["save"], ["write", "save"], ["save blindly", "write"], ["write", "save", "write"], ["reload"],
  ["write", "reload"], ["write", "reload", "write", "save"], ["regenerate"], ["regenerate", "write"], ["regenerate", "write", "save"], ["destroy"],
  ["touch"], ["reset max age"], ["max age"], ["max age null", "write"], ["max age false"], ["expires date", "write"], ["secure cookie", "write"],
  ["bad same site", "write"], ["bad domain"], ["cookie part", "write"], ["bogus id"], ["no id", "write"], ["other id"], ["other id", "write"],
  ["null session"], ["delete session"], ["own cookie", "write"], ["own cookies", "write"], ["write head"], ["write", "write head"],
  ["write chunk"], ["write", "write chunk"], ["write chunk", "write"], ["length", "write"], ["status 204", "write"], ["status 304"],
  ["look at session"], ["look at cookie"], ["own save", "write"], ["wait", "write"], ["load by store"], ["method replaced", "write"],
];
const STORES = [
  {}, {}, {}, { form: "memory" }, { form: "class" }, { sync: true }, { without: ["touch"] }, { known: "aged" }, { known: "aged", sync: true },
  { form: "memory", known: "aged" },
  { faults: { get: "error" } }, { faults: { get: "enoent" } }, { faults: { get: "null" } }, { faults: { set: "error" } },
  { faults: { touch: "error" } }, { faults: { destroy: "error" } }, { faults: { set: "error" }, sync: true }, { faults: { set: "twice" } },
];

const MEMORY = ["known", "known", "aged", "ended", "no-cookie", "methods", "lists"].map((known) => ({ form: "bare", known }));

function scenario(seed, stores = STORES) {
  const { next } = randomness(seed);
  const one = (list) => list[Math.floor(next() * list.length)];
  const rarely = (value, otherwise) => (next() < 0.25 ? value() : otherwise);

  const options = { resave: next() < 0.3, saveUninitialized: next() < 0.4, rolling: next() < 0.3 };
  const cookie = one(COOKIES);
  if (cookie) options.cookie = cookie;
  options.proxy = one([undefined, undefined, true, false]);
  options.unset = one([undefined, "keep", "destroy"]);
  options.secret = one(["keyboard cat", ["new", "keyboard cat"], Buffer.from([0, 255, 7]), ["a", Buffer.from("b"), "c"]]);
  if (next() < 0.2) options.name = one(["sid", "__Host-s", "a.b"]);
  if (next() < 0.15) options.genid = "default";

  const request = () => ({
    cookie: one(STATES),
    method: rarely(() => one(["HEAD", "POST"]), "GET"),
    version: rarely(() => "1.0", "1.1"),
    path: rarely(() => one(["/admin", "/admin/x?y=1", "/adm", "/?q"]), "/"),
    encrypted: next() < 0.2,
    headers: rarely(() => ({ "X-Forwarded-Proto": one(["https", "http", "HTTPS , http", "", "http,https"]) }), {}),
    tick: rarely(() => one([500, 30_000, 61_000]), 0),
    actions: [...one(HANDLERS), ...rarely(() => one(HANDLERS), []), one(ENDS), ...rarely(() => ["sent?"], [])],
  });
  return { options, store: one(stores), requests: [request(), request(), request()] };
}

for (let seed = 1; seed <= SCENARIOS; seed++) {
  test(`scenario ${seed}`, () => compare(scenario(seed)));
}

for (let seed = SCENARIOS + 1; seed <= SCENARIOS + OF_MEMORY; seed++) {
  test(`scenario ${seed}, memory store`, () => compare(scenario(seed, MEMORY)));
}

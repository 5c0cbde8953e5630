// What the generated scenarios do not reach: warnings, old stores, patches from outside, and each deviation by its name.
"use strict";

process.env.NO_DEPRECATION = "express-session";

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const { once } = require("node:events");
const http = require("node:http");
const net = require("node:net");
const { describe, mock, test } = require("node:test");
const util = require("node:util");

const cookieParser = require("cookie-parser");
const upstream = require("express-session");

const ours = require("..");
const { compare } = require("./support/compare");
const { wire } = require("./support/cookies");
const { run } = require("./support/scenario");

const PACKAGES = { upstream: require.resolve("express-session"), ours: require.resolve("..") };
const KNOWN = wire("known", "keyboard cat");

/** What a process of its own prints: warnings are given once for each place in a process. */
function printed(code, implementation, env) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", code, PACKAGES[implementation]], {
    cwd: __dirname,
    encoding: "utf8",
    env: { ...process.env, NO_DEPRECATION: "", NODE_ENV: "", ...env },
  });
  return { status, stdout, stderr: stderr.replace(/^\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT /gm, "") };
}

const PRELUDE = `
  const session = require(process.argv[1]);
  const attempt = (make) => {
    try { console.log("made", typeof make()); } catch (error) { console.log(error.name, error.message); }
  };
  const well = { resave: false, saveUninitialized: false, secret: "keyboard cat" };
`;

describe("what is said when it is made", () => {
  const cases = {
    "no options": "session()",
    "undefined resave": 'session({ saveUninitialized: false, secret: "a" })',
    "undefined saveUninitialized": 'session({ resave: true, secret: "a" })',
    "null for both": 'session({ resave: null, saveUninitialized: null, secret: "a" })',
    "no secret": "session({ resave: false, saveUninitialized: false })",
    "an empty secret": 'session({ ...well, secret: "" })',
    "an empty array of secrets": "session({ ...well, secret: [] })",
    "all is well": "session(well)",
    "a bad unset": 'session({ ...well, unset: "remove" })',
    "a bad unset and undefined resave": 'session({ secret: "a", unset: "remove" })',
    "unset: true": "session({ ...well, unset: true })",
    "an unset that is empty": 'session({ ...well, unset: "" })',
    "a bad genid": 'session({ ...well, genid: "uuid" })',
    "a bad genid before all else": "session({ genid: 1, unset: 1, secret: [] })",
    "a store that is no emitter": "session({ ...well, store: { get() {}, set() {}, destroy() {} } })",
    "a maximal age that is a Date": "new session.Cookie({ maxAge: new Date(0) })",
    "a maximal age that is a text": 'new session.Cookie({ maxAge: "60000" })',
    "cookie options that are no object": 'new session.Cookie("a")',
  };
  for (const [name, expression] of Object.entries(cases)) {
    test(name, () => {
      const code = `${PRELUDE} attempt(() => ${expression});`;
      assert.deepEqual(printed(code, "ours"), printed(code, "upstream"));
    });
  }

  for (const store of ["undefined", "new session.MemoryStore()", "new (class extends session.MemoryStore {})()", "new session.Store()"]) {
    test(`in production with the store ${store}`, () => {
      const code = `${PRELUDE} attempt(() => session({ ...well, store: ${store} }));`;
      const seen = printed(code, "upstream", { NODE_ENV: "production" });
      assert.equal(seen.stderr.includes("MemoryStore is not"), store !== "new session.Store()");
      assert.deepEqual(printed(code, "ours", { NODE_ENV: "production" }), seen);
    });
  }

  test("warnings are given once for each place", () => {
    const code = `${PRELUDE} for (let n = 0; n < 3; n++) session({ secret: "a" }); session({ secret: "a" });`;
    assert.deepEqual(printed(code, "ours"), printed(code, "upstream"));
  });

  test("more middlewares on one store than an emitter likes", () => {
    const code = `${PRELUDE}
      const store = new session.MemoryStore();
      process.on("warning", ({ name, message }) => console.log(name, message));
      for (let n = 0; n < 12; n++) session({ ...well, store });
    `;
    const withoutPid = ({ stderr, ...rest }) => ({ ...rest, stderr: stderr.replace(/\(node:\d+\)/g, "") });
    assert.deepEqual(withoutPid(printed(code, "ours")), withoutPid(printed(code, "upstream")));
  });

  test("cookies that only a parser has are deprecated", () => {
    const code = `${PRELUDE}
      const middleware = session(well);
      const ask = (cookies) => middleware(
        { headers: {}, url: "/", ...cookies }, { end() {}, write() {}, writeHead() {} }, (error) => console.log("next", error));
      ask({ signedCookies: { "connect.sid": "known" } });
      ask({ cookies: { "connect.sid": "s:${decodeURIComponent(KNOWN).slice(2)}" } });
      ask({ cookies: { "connect.sid": "s:known.forged" } });
    `;
    // The place in the source is that of the middleware's caller there, of the middleware here.
    const withoutPlace = ({ stderr, ...rest }) => ({ ...rest, stderr: stderr.replace(/ (at )?\S+:\d+:\d+$/gm, "") });
    const seen = withoutPlace(printed(code, "upstream"));
    assert.match(seen.stderr, /cookie should be available in req\.headers\.cookie/);
    assert.deepEqual(withoutPlace(printed(code, "ours")).stdout, seen.stdout);
    assert.ok(withoutPlace(printed(code, "ours")).stderr.includes(seen.stderr.split("\n")[0]));
  });
});

/** Stores as they were written before classes. */
function oldStore(implementation, { early = false } = {}) {
  function OldStore(options) {
    implementation.Store.call(this, options);
    this.held = { known: JSON.stringify({ cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: "/" }, n: 1 }) };
  }
  if (early) OldStore.prototype.__proto__ = implementation.Store.prototype;
  else util.inherits(OldStore, implementation.Store);
  OldStore.prototype.get = function (sid, done) {
    process.nextTick(done, null, this.held[sid] && JSON.parse(this.held[sid]));
  };
  OldStore.prototype.set = function (sid, session, done) {
    this.held[sid] = JSON.stringify(session);
    done && done();
  };
  OldStore.prototype.destroy = function (sid, done) {
    delete this.held[sid];
    done && done();
  };
  return new OldStore();
}

const parse = (secret) => (req, res) => cookieParser(secret)(req, res, () => {});
const hidden = (req) => delete req.headers.cookie;
const before = (...steps) => (req, res, store) => steps.forEach((step) => step(req, res, store));

/** Adds a middleware of the same package within the handler. */
const another = (options) => async ({ req, res, implementation, note, upstream }) => {
  const middleware = implementation({
    genid: () => "second", resave: false, saveUninitialized: true, secret: "other", upstream, ...options,
  });
  const error = await new Promise((resolve) => middleware(req, res, resolve));
  note("another", error?.message, req.sessionID, JSON.stringify(req.session));
};

const patched = (change) => async ({ implementation, req, note }) => {
  const undo = change(implementation, req, note);
  note("patched", req.session.touch() === req.session);
  undo();
};

const SCENARIOS = {
  "no secret": { options: { secret: undefined }, requests: [{}, { cookie: "known" }] },
  "req.secret of a cookie parser": {
    options: { secret: undefined },
    requests: [
      { prepare: (req) => (req.secret = "keyboard cat"), actions: ["write", "end"] },
      { prepare: (req) => (req.secret = "keyboard cat"), cookie: "known", actions: ["write", "end"] },
      { prepare: (req) => (req.secret = "rotated"), cookie: "known", actions: ["write", "end"] },
      { cookie: "known" },
    ],
  },
  "the option wins over req.secret": {
    requests: [{ prepare: (req) => (req.secret = "another"), cookie: "known", actions: ["write", "end"] }],
  },
  "signed cookies of a parser": {
    requests: [
      { prepare: before(parse("keyboard cat"), hidden), cookie: "known", actions: ["write", "end"] },
      { prepare: before(parse("keyboard cat")), cookie: "known", actions: ["write", "end"] },
      { prepare: before(parse("another"), hidden), cookie: "known", actions: ["write", "end"] },
      { prepare: before(parse("another"), hidden), cookie: "forged", actions: ["write", "end"] },
    ],
  },
  "cookies of a parser that knows no secret": {
    requests: ["known", "forged", "unsigned", "empty", "no signature", "garbage", "unknown"].map((cookie) => ({
      prepare: before(parse(), hidden), cookie, actions: ["write", "end"],
    })),
  },
  "parsed cookies that are no text": {
    requests: [7, {}, [], null, true, ["s:known"]].flatMap((value) => [
      { prepare: (req) => (req.cookies = { "connect.sid": value }), actions: ["write", "end"] },
      { prepare: (req) => (req.signedCookies = { "connect.sid": value }), actions: ["write", "end"] },
    ]),
  },
  "cookies whose header is forged while the parser has a good one": {
    requests: [{ prepare: (req) => (req.signedCookies = { "connect.sid": "known" }), cookie: "forged", actions: ["write", "end"] }],
  },
  "key": { options: { key: "old.name" }, requests: [{ actions: ["write", "end"] }, { cookie: "jar", actions: ["write", "end"] }] },
  "name wins over key": { options: { key: "old.name", name: "new.name" }, requests: [{ actions: ["write", "end"] }, { cookie: "known" }] },
  "a name that is no name": { options: { name: "not a name" }, requests: [{ actions: ["write", "end"] }] },
  "cookie as a function": {
    options: { cookie: (req) => ({ maxAge: 60_000, path: req.url.startsWith("/admin") ? "/admin" : "/" }), saveUninitialized: true },
    requests: [{}, { path: "/admin/x", cookie: "known" }, { path: "/admin", actions: ["write", "regenerate", "end"] }],
  },
  "cookie as a function that throws": {
    options: { cookie: () => { throw new Error("no options"); } },
    requests: [{}, { cookie: "known" }],
  },
  "a record without a cookie": { requests: [{ cookie: "cookie-less record", actions: ["write", "end"] }] },
  "a record with keys named like methods": { requests: [{ cookie: "named like methods", actions: ["look at session", "write", "save", "end"] }] },
  "records of all sorts": {
    requests: ["text", 7, true, [], {}, { cookie: null }, { cookie: 7 }, { cookie: "text" }, { cookie: {} }, { cookie: [] }, { cookie: { expires: "never" } }].map((record) => ({
      cookie: "known",
      store: (store) => (store.get = (sid, done) => setImmediate(done, null, structuredClone(record))),
      actions: ["read", "look at cookie", "end"],
    })),
  },
  "store methods replaced after construction": {
    requests: [
      { cookie: "known", prepare: (req, res, store) => (store.get = (sid, done) => done(null, null)), actions: ["write", "end"] },
      { cookie: "known", prepare: (req, res, store) => (store.generate = (req) => { req.sessionID = "mine"; req.session = { cookie: {}, touch() {}, save(done) { done(); } }; }), actions: ["end"] },
    ],
  },
  "a touch that comes after construction is not called": {
    store: { without: ["touch"] },
    requests: [{ cookie: "known", prepare: (req, res, store) => (store.touch = () => { throw new Error("called"); }) }],
  },
  "a store that comes back": {
    requests: [
      { cookie: "known", prepare: (req, res, store) => { store.emit("disconnect"); store.emit("connect"); }, actions: ["write", "end"] },
      { cookie: "known", prepare: (req, res, store) => store.emit("connect"), actions: ["write", "end"] },
    ],
  },
  "a store that throws in get": { store: { faults: { get: "throws" } }, requests: [{ cookie: "known" }, {}] },
  "a genid that throws": {
    options: { genid: () => { throw new Error("no ids"); } },
    requests: [{}, { cookie: "known" }, { cookie: "unknown" }],
  },
  "ids that are no text": {
    options: { genid: () => 7, saveUninitialized: true },
    requests: [{ actions: ["write", "end"] }],
  },
  "a genid that reads the request": {
    options: { genid: (req) => `of ${req.method} ${req.url}` },
    requests: [{ actions: ["write", "end"] }, { cookie: "jar", actions: ["write", "end"] }],
  },
  "what does not show of a session": {
    requests: [
      { cookie: "known", actions: ["look at session", "look at cookie", ({ req, note }) => {
        const names = [];
        for (const name in req.session) names.push(name);
        note("for in", names.join());
        for (const name of ["id", "req", "save", "reload"]) {
          const own = Object.getOwnPropertyDescriptor(req.session, name);
          note(name, own && { ...own, value: typeof own.value });
        }
        note("spread", Object.keys({ ...req.session }).join(), JSON.stringify(Object.assign({}, req.session)));
      }, "end"] },
    ],
  },
  "Session and Cookie are called by the application": {
    requests: [{ cookie: "known", actions: [({ req, implementation, note }) => {
      const { Cookie, Session, Store, MemoryStore } = implementation;
      for (const type of [Cookie, Session, Store, MemoryStore]) note(type.name, type.length, Object.keys(type.prototype).join());
      note(req.session instanceof Session, req.session.cookie instanceof Cookie);
      const mine = new Session({ sessionID: "mine" }, { n: 1, save: 2, id: 3, cookie: new Cookie({ maxAge: 5, data: 1, other: 2 }) });
      note(mine.id, JSON.stringify(mine), mine.cookie.maxAge, mine.cookie.serialize("a", "b c"));
      const target = {};
      Cookie.call(target, { path: "/x" });
      note(JSON.stringify(target));
      note("hasOwn", Object.keys(new Cookie()).join(), String(new Cookie().expires), new Cookie({ expires: null }).maxAge);
    }, "end"] }],
  },
  "patches of Session.prototype": {
    requests: [{ cookie: "known", actions: [patched(({ Session }, req, note) => {
      const { touch } = Session.prototype;
      Session.prototype.touch = function () {
        note("patched touch");
        return touch.call(this);
      };
      Session.prototype.flash = function () {};
      note("flash", typeof req.session.flash, JSON.stringify(req.session));
      return () => {
        Session.prototype.touch = touch;
        delete Session.prototype.flash;
      };
    }), "write", "end"] }],
  },
  "regenerate and save are patched, as by passport's older ways": {
    requests: [{ cookie: "known", actions: [({ req, note }) => {
      const { regenerate } = req.session;
      req.session.regenerate = function (done) {
        note("regenerates");
        return regenerate.call(this, done);
      };
    }, "regenerate", "write", "end"] }],
  },
  "mounted below a path": {
    options: { cookie: { path: "/admin" }, saveUninitialized: true },
    requests: [
      { prepare: (req) => { req.originalUrl = "/admin/users"; req.url = "/users"; } },
      { prepare: (req) => { req.originalUrl = "/other"; req.url = "/admin"; } },
      { path: "/adm" }, { path: "/administrator" }, { path: "/ADMIN" }, { path: "//admin" }, { path: "/%61dmin" }, { path: "http://app.test/admin" }, { path: "?/admin" }, { path: "*", method: "OPTIONS" },
    ],
  },
  "two middlewares on one request": {
    requests: [
      { actions: [another(), "write", "end"] },
      { cookie: "known", actions: [another({ secret: undefined }), "write", "end"] },
      { cookie: "known", actions: ["delete session", another(), "write", "end"] },
      { cookie: "known", actions: ["write", "delete session", another({ name: "second" }), "write", "end"] },
    ],
  },
  "the second one takes what the first one leaves": {
    options: { cookie: { path: "/admin" } },
    requests: [{ actions: [another({ name: "second" }), "write", "end"] }, { path: "/admin", actions: [another({ name: "second" }), "write", "end"] }],
  },
  "heads written in all ways": {
    requests: [
      ({ res }) => res.writeHead(200, ["X-A", "1", "X-B", "2"]),
      ({ res }) => res.writeHead(201, "Made", { "X-A": ["1", "2"] }),
      ({ res }) => res.writeHead(404, "Gone"),
      ({ res }) => res.writeHead(200, { "Set-Cookie": "theirs=1" }),
      ({ res }) => res.writeHead(200, ["Set-Cookie", "theirs=1"]),
      ({ res }) => res.writeHead(200, [["X-A", "1"], ["X-B", "2"]]),
      ({ res }) => res.flushHeaders(),
      ({ res }) => res.setHeaders(new Headers({ "x-a": "1" })),
    ].flatMap((head) => [
      { actions: ["write", head, "end"] },
      { cookie: "known", actions: ["write", "max age", head, "end"] },
      { method: "HEAD", actions: ["write", head, "end"] },
    ]),
  },
  "res.flush of a compressor": {
    requests: [{ prepare: (req, res) => (res.flush = () => {}), actions: ["write", "write chunk", ({ res, note }) => note("flushed", res.flush()), "end"] }],
  },
  "bodies in pieces": {
    requests: [
      { actions: ["write chunk", "write chunk", "write", "end"] },
      { cookie: "known", actions: ["write chunk", "write", "end empty"] },
      { cookie: "known", method: "HEAD", actions: ["write", "write chunk", "end"] },
      { cookie: "known", version: "1.0", actions: ["write", "write chunk", "end"] },
      { cookie: "known", method: "HEAD", actions: ["write", "length", "end"] },
    ],
  },
};

describe("nothing differs", () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) test(name, () => compare(scenario));

  for (const early of [false, true]) {
    test(`with a store of before classes${early ? " that sets __proto__" : ""}`, async () => {
      const seen = {};
      for (const [name, implementation] of Object.entries({ upstream, ours })) {
        const store = oldStore(implementation, { early });
        const middleware = implementation({ resave: false, saveUninitialized: false, secret: "keyboard cat", store });
        const steps = [];
        const req = { headers: { cookie: `connect.sid=${KNOWN}` }, url: "/" };
        await new Promise((resolve) => middleware(req, new http.ServerResponse(req), resolve));
        steps.push(req.sessionID, JSON.stringify(req.session), req.session instanceof implementation.Session);
        await new Promise((resolve) => req.session.reload(resolve));
        req.session.n = 2;
        await new Promise((resolve) => req.session.save(resolve));
        steps.push(store.held.known);
        await new Promise((resolve) => store.load("known", (error, session) => resolve(steps.push(JSON.stringify(session)))));
        await new Promise((resolve) => req.session.regenerate(resolve));
        steps.push(JSON.stringify(req.session), Object.keys(store.held).join(), store instanceof implementation.Store);
        seen[name] = steps;
      }
      assert.deepEqual(seen.ours, seen.upstream);
    });
  }

  test("requests in a pipeline are answered in their order", async () => {
    const requests = ["/a", "/b", "/c"].map((path) => `GET ${path} HTTP/1.1\r\nHost: app.test\r\nCookie: connect.sid=${KNOWN}\r\n`);
    const bytes = `${requests.join("\r\n")}Connection: close\r\n\r\n`;
    const pipeline = async (implementation, options) => {
      let made = 0;
      const middleware = implementation({ genid: () => `id-${++made}`, resave: false, saveUninitialized: true, secret: "keyboard cat", ...options });
      const server = http.createServer((req, res) => middleware(req, res, () => res.end(req.url)));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const socket = net.connect(server.address().port, "127.0.0.1");
      socket.write(bytes);
      let answer = "";
      socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
      await once(socket, "close");
      server.close();
      return answer.replace(/\r\nDate: [^\r]*/g, "");
    };
    const theirs = await pipeline(upstream);
    assert.equal(await pipeline(ours, { upstream: true }), theirs);
    const cookies = (answer) => answer.match(/^Set-Cookie: .*$/gm);
    const alone = await pipeline(ours);
    assert.deepEqual(cookies(alone), cookies(theirs));
    assert.deepEqual(alone.match(/^\/[abc]/gm), ["/a", "/b", "/c"]);
  });
});

const status = (answer) => Number(answer.split(" ")[1]);

describe("deviations", () => {
  test("respond-before-save: a save that fails is no 200", () =>
    compare({
      store: { faults: { set: "error" } },
      requests: [{ actions: ["write", "end"] }],
      deviation: {
        name: "respond-before-save",
        shows(ours, upstream) {
          assert.deepEqual([status(ours.answers[0]), status(upstream.answers[0])], [500, 200]);
          assert.doesNotMatch(ours.answers[0], /Set-Cookie/);
        },
      },
    }));

  test("respond-before-save: a store that throws is a store that fails", () =>
    compare({
      store: { faults: { set: "throws" } },
      requests: [{ actions: ["write", "end"] }],
      deviation: {
        name: "respond-before-save",
        shows(ours, upstream) {
          assert.deepEqual(ours.events.at(-1), ["next", "Error", "EDOWN", "store: set failed"]);
          assert.deepEqual(upstream.events.slice(-2), [["handler", "Error", "EDOWN", "store: set failed"], ["hangs"]]);
        },
      },
    }));

  const THROWING = {
    "a body that is none": ["write", "end number"],
    "a body that is none, of a session that needs no saving": ["end number"],
    "an encoding that is none": ["write", ({ res }) => void res.end("hello", "bogus")],
    "a status that is none, of a session that is saved first": ["write", ({ res }) => (res.statusCode = 9_999), "length", "end"],
    "a status that is none": [({ res }) => (res.statusCode = 9_999), "length", "end"],
    "a session with a cycle": [({ req }) => (req.session.self = req.session), "length", "end"],
  };
  for (const [what, actions] of Object.entries(THROWING)) {
    // express-session hangs, or ends the process.
    test(`respond-before-save: an error that ends no response can be answered: ${what}`, async () => {
      const { events, answers } = await run(ours, { requests: [{ actions }] });
      const [, error] = events.find(([where]) => where === "handler" || where === "next");
      assert.match(error, /^(Type|Range)Error$/);
      assert.deepEqual([status(answers[0]), answers[0].split("\r\n\r\n")[1]], [500, "error"]);
    });
  }

  test("respond-before-save: an error that ends no response can be answered: a session with a number that is no JSON", () =>
    compare({
      requests: [{ actions: [({ req }) => (req.session.count = 1n), "length", "end"] }],
      deviation: {
        name: "respond-before-save",
        shows(ours, upstream) {
          assert.equal(status(ours.answers[0]), 500);
          assert.deepEqual(upstream.events.at(-1), ["hangs"]);
        },
      },
    }));

  test("respond-before-save: what is written while the store works is not part of the body", () =>
    compare({
      requests: [{ actions: ["write", "end", "write chunk"] }],
      deviation: {
        name: "respond-before-save",
        shows(ours, upstream) {
          assert.doesNotMatch(ours.answers[0], /chunk /);
          assert.match(upstream.answers[0], /chunk /);
        },
      },
    }));

  test("respond-before-save: the callback of res.end is called", () =>
    compare({
      requests: [{ actions: ["write", ({ res, note }) => void res.end("hello", "utf8", () => note("called back"))] }],
      deviation: {
        name: "respond-before-save",
        shows(ours, upstream) {
          const called = ({ events }) => events.filter(([what]) => what === "called back").length;
          assert.deepEqual([called(ours), called(upstream)], [1, 0]);
        },
      },
    }));

  test("respond-before-save: a redirect waits for the store", async () => {
    for (const [upstreamOption, early] of [[undefined, false], [["respond-before-save"], true], [true, true]]) {
      let answerStore;
      const called = new Promise((resolve) => (answerStore = { resolve }));
      const store = new ours.MemoryStore();
      store.set = (sid, session, done) => answerStore.resolve(done);
      const middleware = ours({ resave: false, saveUninitialized: false, secret: "a", store, upstream: upstreamOption });
      const server = http.createServer((req, res) =>
        middleware(req, res, () => {
          req.session.user = "ada";
          res.writeHead(302, { Location: "/" });
          res.end("moved");
        }),
      );
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const socket = net.connect(server.address().port, "127.0.0.1");
      socket.write("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n");
      const done = await called;
      // A round trip on another connection: what was written before it has left.
      if (early) await once(socket, "data");
      else {
        const other = net.connect(server.address().port, "127.0.0.1");
        await once(other, "connect");
        other.destroy();
        assert.equal(socket.bytesRead, 0);
      }
      done();
      socket.resume();
      await once(socket, "close");
      assert.ok(socket.bytesRead > 0);
      server.close();
    }
  });

  test('cookie-function: "auto" is resolved', () =>
    compare({
      options: { cookie: () => ({ secure: "auto" }) },
      requests: [{ actions: ["write", "end"] }],
      deviation: {
        name: "cookie-function",
        shows(ours, upstream) {
          assert.match(ours.answers[0], /Set-Cookie: connect\.sid/);
          assert.doesNotMatch(upstream.answers[0], /Set-Cookie/);
        },
      },
    }));

  test("cookie-function: it is called once for a request", () =>
    compare({
      options: { cookie: (req) => ((req.told = (req.told ?? 0) + 1), {}) },
      requests: [{ actions: [({ req, note }) => note("told", req.told), "regenerate", ({ req, note }) => note("told", req.told), "end"] }],
      deviation: {
        name: "cookie-function",
        shows(ours, upstream) {
          const told = ({ events }) => events.filter(([what]) => what === "told").map(([, times]) => times);
          assert.deepEqual([told(ours), told(upstream)], [[1, 2], [2, 3]]);
        },
      },
    }));

  test("drifting-max-age: what was set is what is kept", () => {
    const kept = (implementation, option) => {
      const middleware = implementation({ cookie: { maxAge: 60_000 }, resave: false, saveUninitialized: false, secret: "a", upstream: option });
      let now = 0;
      mock.method(Date, "now", () => ++now);
      try {
        const req = { headers: {}, url: "/" };
        middleware(req, new http.ServerResponse(req), () => {});
        return req.session.touch().cookie.originalMaxAge;
      } finally {
        mock.restoreAll();
      }
    };
    assert.equal(kept(ours), 60_000);
    assert.ok(kept(upstream) < 60_000);
    assert.equal(kept(ours, ["drifting-max-age"]), kept(upstream));
    assert.equal(kept(ours, true), kept(upstream));
  });

  test("ignore-disconnect: without its store, a request fails", () =>
    compare({
      requests: [
        { cookie: "known", prepare: (req, res, store) => store.emit("disconnect") },
        { cookie: "known", prepare: (req, res, store) => store.emit("connect"), actions: ["write", "end"] },
      ],
      deviation: {
        name: "ignore-disconnect",
        shows(ours, upstream) {
          assert.equal(ours.events[0][2], "ESTOREDISCONNECTED");
          assert.deepEqual(upstream.events[0].slice(0, 2), ["session", null]);
          assert.deepEqual([ours, upstream].map(({ answers }) => answers.map(status)), [[500, 200], [200, 200]]);
        },
      },
    }));

  test("a name that is none is refused", () => {
    for (const option of ["respond-before-save", 1, {}, ["respond"]]) {
      assert.throws(() => ours({ secret: "a", upstream: option }), /upstream option/);
    }
  });

  test("DEBUG=express-session prints neither ids nor cookies", () => {
    const code = `${PRELUDE}
      const req = { headers: { cookie: "connect.sid=${KNOWN}" }, url: "/" };
      session({ ...well, saveUninitialized: true, genid: () => "the-new-id" })(req, new (require("http").ServerResponse)(req), () => {
        req.session.save(() => req.res.end());
        req.session.reload(() => {});
      });
    `.replace("req.res.end()", "0");
    const secret = /known|the-new-id|keyboard cat/;
    assert.match(printed(code, "upstream", { DEBUG: "express-session" }).stderr, secret);
    const { stderr } = printed(code, "ours", { DEBUG: "express-session" });
    assert.match(stderr, /fetching/);
    assert.doesNotMatch(stderr, secret);
  });
});

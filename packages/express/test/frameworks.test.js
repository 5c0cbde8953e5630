// The frameworks that sessions are used with, and Node's own servers: one visit goes the same way on each.
"use strict";

const assert = require("node:assert/strict");
const http = require("node:http");
const http2 = require("node:http2");
const { once } = require("node:events");
const { test } = require("node:test");

const upstream = require("express-session");
const ours = require("..");

const SETTINGS = { secret: "keyboard cat", resave: false, saveUninitialized: false, cookie: { maxAge: 3_600_000 } };

/** The site, in nothing but what Node has. */
function answer(req, res, next) {
  const say = (status, value) => {
    res.statusCode = status;
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify(value));
  };
  switch (req.originalUrl ?? req.url) {
    case "/sign-in":
      return req.session.regenerate((error) => {
        if (error) return next(error);
        req.session.user = "ada";
        res.statusCode = 302;
        res.setHeader("Location", "/me");
        res.end();
      });
    case "/me":
      return say(200, req.session.user ?? null);
    case "/count":
      req.session.count = (req.session.count ?? 0) + 1;
      return say(200, req.session.count);
    case "/in-pieces":
      req.session.count = (req.session.count ?? 0) + 1;
      res.write('{"pieces":');
      res.write("2");
      return res.end("}");
    case "/sign-out":
      return req.session.destroy((error) => (error ? next(error) : say(200, "bye")));
    default:
      return say(404, "nothing here");
  }
}

const failed = (error, req, res, next) => {
  res.statusCode = error.status ?? 500;
  res.end(JSON.stringify(error.message));
};

function withApp(make) {
  return (middleware) => {
    const app = make();
    app.use(middleware);
    app.use(answer);
    app.use(failed);
    return http.createServer(app);
  };
}

const plain = (middleware) => (req, res) => {
  const next = (error) => (error ? failed(error, req, res) : answer(req, res, next));
  middleware(req, res, next);
};

const SERVERS = {
  "Express 5": withApp(() => require("express")()),
  "Express 4": withApp(() => require("express4")()),
  connect: withApp(() => require("connect")()),
  "node:http": (middleware) => http.createServer(plain(middleware)),
  "node:http2": (middleware) => http2.createServer(plain(middleware)),
};

async function http1(port) {
  return {
    async send(path, cookie) {
      const headers = cookie ? { cookie } : {};
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers, redirect: "manual" });
      return { status: response.status, cookies: response.headers.getSetCookie(), body: await response.text() };
    },
    close() {},
  };
}

async function overHttp2(port) {
  const connection = http2.connect(`http://127.0.0.1:${port}`);
  return {
    async send(path, cookie) {
      const stream = connection.request({ ":path": path, ...(cookie && { cookie }) });
      const [headers] = await once(stream, "response");
      let body = "";
      for await (const chunk of stream) body += chunk;
      return { status: headers[":status"], cookies: headers["set-cookie"] ?? [], body };
    },
    close: () => connection.destroy(),
  };
}

/** What a visitor sees who keeps the cookie: status, body, and whether there was a new cookie, an old one, or none. */
async function visit(name, session, store) {
  const server = SERVERS[name](session({ ...SETTINGS, store }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = await (name === "node:http2" ? overHttp2 : http1)(server.address().port);
  const seen = [];
  let jar;
  try {
    for (const path of ["/me", "/count", "/count", "/sign-in", "/me", "/count", "/in-pieces", "/count", "/nowhere", "/sign-out", "/me"]) {
      const { status, cookies, body } = await client.send(path, jar);
      const cookie = cookies[0]?.split(";")[0];
      const kind = cookie === undefined ? "no cookie" : cookie === jar ? "the same cookie" : "a new cookie";
      jar = cookie ?? jar;
      seen.push([path, status, body, kind, cookies[0]?.replace(/=[^;]*/, "").replace(/Expires=[^;]*/, "Expires")]);
    }
  } finally {
    client.close();
    server.closeAllConnections?.();
    server.close();
  }
  return seen;
}

const COOKIE = "connect.sid; Path=/; Expires; HttpOnly";
const EXPECTED = [
  ["/me", 200, "null", "no cookie", undefined],
  ["/count", 200, "1", "a new cookie", COOKIE],
  ["/count", 200, "2", "the same cookie", COOKIE],
  ["/sign-in", 302, "", "a new cookie", COOKIE],
  ["/me", 200, '"ada"', "no cookie", undefined],
  ["/count", 200, "1", "the same cookie", COOKIE],
  // Its first piece went out when the cookie was decided on.
  ["/in-pieces", 200, '{"pieces":2}', "the same cookie", COOKIE],
  ["/count", 200, "3", "the same cookie", COOKIE],
  ["/nowhere", 404, '"nothing here"', "no cookie", undefined],
  ["/sign-out", 200, '"bye"', "no cookie", undefined],
  ["/me", 200, "null", "no cookie", undefined],
];

for (const name of Object.keys(SERVERS)) {
  test(`${name}: a visit from signing in to signing out`, async () => {
    assert.deepEqual(await visit(name, ours, new ours.MemoryStore()), EXPECTED);
    // Which throws on HTTP/2: its responses have no `_implicitHeader`.
    if (name !== "node:http2") assert.deepEqual(await visit(name, upstream, new upstream.MemoryStore()), EXPECTED);
  });

  test(`${name}: a session that cannot be saved is an error that the application answers`, async () => {
    const store = new ours.MemoryStore();
    store.set = (sid, session, callback) => setImmediate(callback, new Error("the disk is full"));
    const seen = await visit(name, ours, store);
    assert.deepEqual(seen[1], ["/count", 500, '"the disk is full"', "no cookie", undefined]);
  });
}

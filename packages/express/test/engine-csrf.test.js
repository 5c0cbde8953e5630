// Requests from other sites are refused, and so are those without the token where one is demanded; a body that was read for it is
// there again, byte for byte.
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const http = require("node:http");
const http2 = require("node:http2");
const net = require("node:net");
const { once } = require("node:events");
const { test } = require("node:test");

const busboy = require("busboy");
const express = require("express");

const { COOKIE, Visitor, engine, listen, milestone } = require("./support/engine");
const { FRAMEWORKS, ask, isHttp2 } = require("./support/frameworks");

const FORM = "application/x-www-form-urlencoded";
const CSRF = { csrfTokens: "demanded" };

function failed(error, req, res, next) {
  res.statusCode = error.status ?? 500;
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ code: error.code ?? null, message: error.message }));
}

/** Gives a token to who asks for one, tells the body of everything else, and counts what gets so far. */
function handler(seen = { handled: 0 }) {
  return async (req, res, next) => {
    try {
      if ((req.originalUrl ?? req.url) === "/token") {
        if (!req.session.owner) await req.session.signIn("ada");
        return res.end(await req.session.csrfToken());
      }
      seen.handled += 1;
      if (req.body !== undefined) return res.end(JSON.stringify(req.body));
      const chunks = [];
      for await (const chunk of req) chunks.push(chunk);
      res.end(Buffer.concat(chunks));
    } catch (error) {
      next(error);
    }
  };
}

async function serve(t, name, options, { before = [], behind = [], handle = handler() } = {}) {
  const sessions = await engine("memory:", options);
  const { listener, make } = FRAMEWORKS[name]([...before, sessions, ...behind, handle], failed);
  const site = await listen(listener, make);
  t.after(site.close);
  const send = (path, more) => ask(name, site, { path, ...more });
  const begin = async () => {
    const answer = await send("/token");
    return { cookie: answer.headers["set-cookie"][0].split(";")[0], token: answer.body.toString() };
  };
  return { ...site, sessions, send, begin };
}

const post = (path, { cookie, type = FORM, ...headers }, body) => ({
  method: "POST",
  path,
  headers: { ...(cookie && { cookie }), "content-type": type, ...headers },
  body,
});

const multipart = (...parts) => {
  const boundary = "----WebKitFormBoundaryA1b2C3d4";
  const chunks = parts.flatMap(([disposition, value]) => [`--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`, value, "\r\n"]);
  const body = Buffer.concat([...chunks, `--${boundary}--\r\n`].map((chunk) => Buffer.from(chunk)));
  return { type: `multipart/form-data; boundary=${boundary}`, body };
};

for (const name of Object.keys(FRAMEWORKS)) {
  test(`${name}: only a page of this origin, or a trusted one, may send what changes something`, async (t) => {
    const seen = { handled: 0 };
    const options = { trustedOrigins: ["https://friend.example"], csrfExemptPaths: ["/hooks/*", "/callback"] };
    const { send, port } = await serve(t, name, options, { handle: handler(seen) });
    const status = async (method, path, headers) => (await send(path, { method, headers })).status;
    const ours = `http://127.0.0.1:${port}`;
    const cross = { "sec-fetch-site": "cross-site" };
    for (const headers of [{}, { "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "none" }, { origin: ours }, { ...cross, origin: "https://friend.example" }]) {
      assert.equal(await status("POST", "/", headers), 200, JSON.stringify(headers));
    }
    const { handled } = seen;
    const foreign = [
      cross, { "sec-fetch-site": "same-site" }, { "sec-fetch-site": "" }, { "sec-fetch-site": "SAME-ORIGIN" },
      { origin: "https://evil.example" }, { origin: "null" }, { origin: "" }, { origin: `${ours}.evil.example` },
      { ...cross, origin: ours }, { origin: "https://friend.example.evil.example" },
    ];
    for (const headers of foreign) {
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        assert.equal(await status(method, "/", headers), 403, `${method} ${JSON.stringify(headers)}`);
      }
      assert.equal(await status("GET", "/", headers), 200);
      assert.equal(await status("POST", "/hooks/pay", headers), 200);
      assert.equal(await status("POST", "/callback?code=1", headers), 200);
      for (const place of ["/hooks", "/hooks/", "/callback/", "/hooks/%2e%2e/transfer", "/hooks/../transfer", "//hooks/pay"]) {
        assert.equal(await status("POST", place, headers), 403, place);
      }
    }
    assert.equal(seen.handled, handled + foreign.length * 3);
    const answer = await send("/", { method: "POST", headers: cross });
    const { code, message } = JSON.parse(answer.body);
    assert.deepEqual([code, answer.headers["cache-control"] ?? "no-store"], ["ECSRFORIGIN", "no-store"]);
    assert.doesNotMatch(message, /\w_\w|::/);
  });

  test(`${name}: where a token is demanded, it comes in the header or in a form, and the body is handed on`, async (t) => {
    const seen = { handled: 0 };
    const { send, begin } = await serve(t, name, CSRF, { handle: handler(seen) });
    const { cookie, token } = await begin();
    const file = crypto.randomBytes(300_000);
    const bodies = {
      "the header": [{ "x-csrf-token": token, type: "application/json" }, '{"a":1}'],
      "an empty body": [{ "x-csrf-token": token }, ""],
      "the first field": [{}, `_csrf=${token}&amount=7`],
      "the only field": [{}, `_csrf=${token}`],
      "the last field": [{}, `amount=7&to=eve&_csrf=${token}`],
      "behind much": [{}, `text=${"a".repeat(60_000)}&_csrf=${token}`],
      "before much": [{}, `_csrf=${token}&text=${"a".repeat(2_000_000)}`],
      "a form with a file": (({ type, body }) => [{ type }, body])(multipart(['name="_csrf"', token], ['name="file"; filename="a.bin"', file])),
      "a form without a file": (({ type, body }) => [{ type }, body])(multipart(['name="_csrf"', token])),
    };
    for (const [what, [headers, body]] of Object.entries(bodies)) {
      const answer = await send("/", post("/", { cookie, ...headers }, body));
      assert.equal(answer.status, 200, `${what}: ${answer.body.subarray(0, 200)}`);
      assert.ok(answer.body.equals(Buffer.from(body)), what);
    }
    const handled = Object.keys(bodies).length;
    assert.equal(seen.handled, handled);

    const other = await begin();
    const refused = {
      "no token": [{}, "amount=7"],
      nothing: [{}, ""],
      "another's": [{}, `_csrf=${other.token}`],
      "another's in the header": [{ "x-csrf-token": other.token }, ""],
      "a wrong header beside a right field": [{ "x-csrf-token": "x" }, `_csrf=${token}`],
      "one letter off": [{}, `_csrf=${token.slice(0, -1)}`],
      "too far behind": [{}, `text=${"a".repeat(65 * 1024)}&_csrf=${token}`],
      "much without": [{}, "a=".repeat(1_000_000)],
      "an encoded name": [{}, `%5fcsrf=${token}`],
      JSON: [{ type: "application/json" }, JSON.stringify({ _csrf: token })],
      "no type": [{ type: "text/plain" }, `_csrf=${token}`],
      "behind a file": (({ type, body }) => [{ type }, body])(multipart(['name="file"; filename="a.bin"', "x"], ['name="_csrf"', token])),
    };
    for (const [what, [headers, body]] of Object.entries(refused)) {
      const answer = await send("/", post("/", { cookie, ...headers }, body));
      assert.equal(answer.status, 403, what);
      assert.equal(JSON.parse(answer.body).code, "ECSRFTOKEN", what);
    }
    assert.equal(seen.handled, handled, "no handler ran");
    // Who has no session has nothing to protect, and gets is not asked.
    assert.equal((await send("/", post("/", {}, "amount=7"))).status, 200);
    assert.equal((await send("/", { headers: { cookie } })).status, 200);
  });

  test(`${name}: a form that comes in pieces, cut anywhere, is handed on whole`, async (t) => {
    const { url, begin } = await serve(t, name, CSRF);
    const { cookie, token } = await begin();
    const form = Buffer.from(`a=${"é"}&_csrf=${token}&b=2`);
    const atEnd = Buffer.from(`a=1&_csrf=${token}`);
    const withFile = multipart(['name="_csrf"', token], ['name="file"; filename="a"', "x"]);
    const [request, done] = isHttp2(name) ? piecesOverHttp2(url) : piecesOverHttp1(url);
    try {
      for (const [type, body] of [[FORM, form], [FORM, atEnd], [withFile.type, withFile.body]]) {
        const length = Math.min(body.length, 220);
        for (let at = 0; at <= length; at++) {
          const answer = await request({ cookie, "content-type": type }, [body.subarray(0, at), body.subarray(at)]);
          assert.deepEqual([at, answer.status, answer.body.toString("latin1")], [at, 200, body.toString("latin1")]);
        }
        const bytes = await request({ cookie, "content-type": type }, [...body].map((byte) => Buffer.from([byte])));
        assert.ok(bytes.body.equals(body), "byte by byte");
      }
    } finally {
      done();
    }
  });
}

const turn = () => new Promise(setImmediate);

/** Asks with a body in pieces, over one connection: without a length, so that the server has to see the end. */
function piecesOverHttp1(url) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const request = async (headers, pieces) => {
    const sending = http.request(`${url}/`, { method: "POST", agent, headers });
    const answering = once(sending, "response");
    for (const piece of pieces) {
      if (piece.length > 0) sending.write(piece);
      await turn();
      await turn();
    }
    sending.end();
    const [answer] = await answering;
    return { status: answer.statusCode, body: Buffer.concat(await answer.toArray()) };
  };
  return [request, () => agent.destroy()];
}

function piecesOverHttp2(url) {
  const connection = http2.connect(url);
  const request = async (headers, pieces) => {
    const stream = connection.request({ ":path": "/", ":method": "POST", ...headers });
    const answering = once(stream, "response");
    for (const piece of pieces) {
      if (piece.length > 0) stream.write(piece);
      await turn();
      await turn();
    }
    stream.end();
    const [{ ":status": status }] = await answering;
    return { status, body: Buffer.concat(await stream.toArray()) };
  };
  return [request, () => connection.destroy()];
}

for (const name of ["Express 5", "Express 4"]) {
  const library = require(name === "Express 5" ? "express" : "express4");
  const parsers = { urlencoded: library.urlencoded({ extended: false }), json: library.json() };

  for (const order of ["before", "behind"]) {
    test(`${name}: the parsers of bodies stand ${order} the sessions`, async (t) => {
      const { send, begin } = await serve(t, name, CSRF, { [order]: [parsers.json, parsers.urlencoded] });
      const { cookie, token } = await begin();
      for (const text of ["short", "x".repeat(50_000)]) {
        for (const body of [`_csrf=${token}&text=${text}`, `text=${text}&_csrf=${token}`]) {
          const answer = await send("/", post("/", { cookie }, body));
          assert.equal(answer.status, 200, answer.body.toString().slice(0, 200));
          assert.deepEqual(JSON.parse(answer.body), { text, _csrf: token });
        }
      }
      const json = await send("/", post("/", { cookie, type: "application/json", "x-csrf-token": token }, '{"a":1}'));
      assert.deepEqual(JSON.parse(json.body), { a: 1 });
      for (const body of ["text=1", "", "_csrf=&text=1", "_csrf[]=x", `_csrf=${token}&_csrf=${token}x`]) {
        // The first one counts where the form is read here; a parser makes a list of two.
        const isTwice = body.startsWith(`_csrf=${token}&`);
        const answer = await send("/", post("/", { cookie }, body));
        assert.equal(answer.status, isTwice && order === "behind" ? 200 : 403, body);
      }
      if (order === "before") {
        // A parser has read it, and the token is where the parser put it.
        const answer = await send("/", post("/", { cookie, type: "application/json" }, JSON.stringify({ _csrf: token })));
        assert.equal(answer.status, 403);
      }
    });
  }

  test(`${name}: files that follow the token reach their parser`, async (t) => {
    const file = crypto.randomBytes(700_000);
    const handle = async (req, res, next) => {
      if (req.method === "GET") return handler()(req, res, next);
      const fields = {};
      const hash = crypto.createHash("sha256");
      const parser = busboy({ headers: req.headers });
      parser.on("field", (name, value) => (fields[name] = value));
      parser.on("file", (name, stream) => stream.on("data", (chunk) => hash.update(chunk)));
      req.pipe(parser);
      await once(parser, "close");
      res.json({ fields, hash: hash.digest("hex") });
    };
    const { send, begin } = await serve(t, name, CSRF, { handle });
    const { cookie, token } = await begin();
    const { type, body } = multipart(['name="_csrf"', token], ['name="note"', "hello"], ['name="file"; filename="a.bin"', file]);
    for (const headers of [{ "content-length": String(body.length) }, { "transfer-encoding": "chunked" }]) {
      const answer = await send("/", post("/", { cookie, type, ...headers }, body));
      const expected = { fields: { _csrf: token, note: "hello" }, hash: crypto.createHash("sha256").update(file).digest("hex") };
      assert.deepEqual(JSON.parse(answer.body), expected);
    }
  });
}

test("a body is there for each way to read it", async (t) => {
  const ways = {
    data: (req) =>
      new Promise((resolve) => {
        let text = "";
        req.on("data", (chunk) => (text += chunk));
        req.on("end", () => resolve(text));
      }),
    text: (req) => {
      req.setEncoding("utf8");
      return ways.data(req);
    },
    late: async (req) => {
      for (let times = 0; times < 20; times++) await turn();
      return ways.data(req);
    },
    readable: (req) =>
      new Promise((resolve) => {
        let text = "";
        req.on("readable", () => {
          for (let chunk; (chunk = req.read()) !== null; ) text += chunk;
        });
        req.on("end", () => resolve(text));
      }),
    "resume, then end": (req) =>
      new Promise((resolve) => {
        req.on("end", () => resolve("ended"));
        req.resume();
      }),
    nobody: async () => "not read",
  };
  const handle = async (req, res, next) => {
    const way = ways[req.headers["x-way"]];
    if (!way) return handler()(req, res, next);
    res.end(await way(req));
  };
  const { send, begin } = await serve(t, "Express 5", CSRF, { handle });
  const { cookie, token } = await begin();
  for (const body of [`_csrf=${token}`, `_csrf=${token}&a=ü`, `_csrf=${token}&a=${"b".repeat(400_000)}`]) {
    for (const way of Object.keys(ways)) {
      const answer = await send("/", post("/", { cookie, "x-way": way }, body));
      const expected = { "resume, then end": "ended", nobody: "not read" }[way] ?? body;
      assert.equal(answer.body.toString(), expected, way);
    }
  }
});

test("an upload that is broken off is an error for that request alone", async (t) => {
  const errors = [];
  const failing = milestone();
  const sessions = await engine("memory:", CSRF);
  const app = express();
  app.use(sessions);
  app.use(handler());
  app.use((error, req, res, next) => {
    errors.push(error);
    failing.reach();
    failed(error, req, res, next);
  });
  const site = await listen(app);
  t.after(site.close);
  const visitor = new Visitor();
  const token = await (await visitor.send("GET", `${site.url}/token`)).text();
  const socket = net.connect(site.port, "127.0.0.1");
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\nCookie: ${visitor.header}\r\nContent-Type: ${FORM}\r\nContent-Length: 1000\r\n\r\na=1&b`);
  await once(socket, "connect");
  const [connection] = await Promise.all([once(site.server, "request")]);
  await turn();
  assert.ok(connection);
  socket.destroy();
  await failing.reached;
  assert.deepEqual(errors.map(({ status }) => status), [400]);
  const answer = await visitor.send("POST", `${site.url}/`, { headers: { "content-type": FORM }, body: `_csrf=${token}` });
  assert.equal(answer.status, 200);
});

test("an upload that is broken off before the sessions see it is an error, and not waited for", async (t) => {
  const failing = milestone();
  const arrived = milestone();
  const sessions = await engine("memory:", CSRF);
  const app = express();
  app.use((req, res, next) => {
    if (req.method === "GET") return next();
    arrived.reach();
    req.on("error", () => {});
    req.on("close", () => next());
  });
  app.use(sessions);
  app.use(handler());
  app.use((error, req, res, next) => failing.reach(error));
  const site = await listen(app);
  t.after(site.close);
  const visitor = new Visitor();
  await visitor.send("GET", `${site.url}/token`);
  const socket = net.connect(site.port, "127.0.0.1");
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\nCookie: ${visitor.header}\r\nContent-Type: ${FORM}\r\nContent-Length: 1000\r\n\r\na=1&b`);
  await arrived.reached;
  socket.destroy();
  assert.equal((await failing.reached).status, 400);
});

test("a body that was turned into text before is an error or is handed on, and crashes nothing", async (t) => {
  const asText = (req, res, next) => {
    req.setEncoding("utf8");
    next();
  };
  const handle = async (req, res, next) => {
    if (req.method === "GET") return handler()(req, res, next);
    let text = "";
    for await (const chunk of req) text += chunk;
    res.end(text);
  };
  const { send, begin } = await serve(t, "Express 5", CSRF, { before: [asText], handle });
  const { cookie, token } = await begin();
  const body = `_csrf=${token}&a=ü`;
  const answer = await send("/", post("/", { cookie }, body));
  assert.deepEqual([answer.status, answer.body.toString()], [200, body]);
});

test("requireCsrfToken guards single routes, behind the parser", async (t) => {
  const sessions = await engine("memory:");
  const app = express();
  app.use(sessions);
  app.get("/token", handler());
  app.post("/guarded", express.urlencoded({ extended: false }), express.json(), sessions.requireCsrfToken, (req, res) => res.json("done"));
  app.post("/open", (req, res) => res.json("done"));
  app.post("/renewed", express.urlencoded({ extended: false }), async (req, res, next) => {
    await req.session.renew();
    sessions.requireCsrfToken(req, res, (error) => (error ? next(error) : res.json("done")));
  });
  app.use(failed);
  const site = await listen(app);
  t.after(site.close);
  const visitor = new Visitor();
  const token = await (await visitor.send("GET", `${site.url}/token`)).text();
  const status = async (who, place, headers, body) => (await who.send("POST", site.url + place, { headers, body })).status;
  const form = { "content-type": FORM };
  assert.equal(await status(visitor, "/guarded", form, `_csrf=${token}`), 200);
  assert.equal(await status(visitor, "/guarded", { "x-csrf-token": token }), 200);
  assert.equal(await status(visitor, "/guarded", { "content-type": "application/json" }, JSON.stringify({ _csrf: token })), 200);
  for (const [headers, body] of [[form, "a=1"], [{}, undefined], [{ "x-csrf-token": "x" }, undefined], [{ "x-csrf-token": "" }, undefined], [form, `_csrf=${token}x`]]) {
    assert.equal(await status(visitor, "/guarded", headers, body), 403);
    assert.equal(await status(visitor, "/open", headers, body), 200);
  }
  assert.equal(await status(new Visitor(), "/guarded", form, `_csrf=${token}`), 403, "nobody's session");
  assert.equal(await status(visitor, "/renewed", form, `_csrf=${token}`), 403, "the page is older than the renewal");
});

test("a token begins a session, and another is as good until the session is renewed", async (t) => {
  const { send, begin } = await serve(t, "Express 5", CSRF, {
    handle: async (req, res, next) => {
      if (req.url === "/begin") return res.end(await req.session.csrfToken());
      if (req.url === "/renew") {
        await req.session.renew();
        return res.end(await req.session.csrfToken());
      }
      return handler()(req, res, next);
    },
  });
  const begun = await send("/begin");
  const cookie = begun.headers["set-cookie"][0].split(";")[0];
  const token = begun.body.toString();
  assert.match(cookie, new RegExp(`^${COOKIE}=`));
  const another = (await send("/begin", { headers: { cookie } })).body.toString();
  assert.notEqual(another, token);
  for (const good of [token, another]) assert.equal((await send("/", post("/", { cookie }, `_csrf=${good}`))).status, 200);
  const renewed = await send("/renew", { headers: { cookie } });
  const next = renewed.headers["set-cookie"][0].split(";")[0];
  assert.equal((await send("/", post("/", { cookie: next }, `_csrf=${token}`))).status, 403);
  assert.equal((await send("/", post("/", { cookie: next }, `_csrf=${renewed.body}`))).status, 200);
  await begin();
});

test("opening a WebSocket is checked, by the middleware as for any request", async (t) => {
  const sessions = await engine("memory:");
  const server = http.createServer((req, res) => res.end());
  server.on("upgrade", (req, socket) => {
    // As libraries for WebSockets have it: a response that writes to the socket.
    const res = new http.ServerResponse(req);
    res.assignSocket(socket);
    sessions(req, res, (error) => {
      socket.end(`HTTP/1.1 ${error ? `${error.status} Refused` : "101 Switching Protocols"}\r\n\r\n${error ? "" : (req.session.owner ?? "nobody")}`);
    });
  });
  const app = express();
  app.use(sessions, handler());
  const site = await listen(app);
  t.after(site.close);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address();
  const visitor = new Visitor();
  await visitor.send("GET", `${site.url}/token`);
  const upgrade = async (headers) => {
    const lines = Object.entries({ Host: `127.0.0.1:${port}`, Connection: "Upgrade", Upgrade: "websocket", Cookie: visitor.header, ...headers });
    const socket = net.connect(port, "127.0.0.1");
    socket.write(`GET / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
    const chunks = await socket.toArray();
    return Buffer.concat(chunks).toString();
  };
  assert.match(await upgrade({ Origin: `http://127.0.0.1:${port}` }), /^HTTP\/1\.1 101 .*ada$/s);
  assert.match(await upgrade({ Origin: `http://127.0.0.1:${port}`, "Sec-Fetch-Site": "same-origin" }), /^HTTP\/1\.1 101 /);
  for (const headers of [{ Origin: "https://evil.example" }, { Origin: "null" }, { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" }]) {
    assert.match(await upgrade(headers), /^HTTP\/1\.1 403 /, JSON.stringify(headers));
  }
});

test("a header that may come once and comes twice is refused", async (t) => {
  const { port, begin } = await serve(t, "node:http", CSRF);
  const { cookie, token } = await begin();
  const raw = async (...lines) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\nCookie: ${cookie}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`);
    return Buffer.concat(await socket.toArray()).toString().split("\r\n")[0];
  };
  const good = `X-CSRF-Token: ${token}`;
  assert.match(await raw(good), / 200 /);
  assert.match(await raw(good, good), / 403 /);
  assert.match(await raw(good, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), / 403 /);
  assert.match(await raw(good, "Origin: http://a", "Origin: https://evil.example"), / 403 /);
});

test("the routes of the sessions are exempt by their paths, where tokens are demanded", async (t) => {
  const sessions = await engine("memory:", { ...CSRF, csrfExemptPaths: ["/session/*"] });
  const app = express();
  app.use("/session", sessions.routes());
  app.use(sessions, handler(), failed);
  const site = await listen(app);
  t.after(site.close);
  const visitor = new Visitor();
  await visitor.send("GET", `${site.url}/token`);
  const headers = { "sec-fetch-site": "same-origin" };
  assert.equal((await visitor.send("POST", `${site.url}/session/extend`, { headers })).status, 200);
  assert.equal((await visitor.send("POST", `${site.url}/session/extend`, { headers: { "sec-fetch-site": "cross-site" } })).status, 403);
  assert.equal((await visitor.send("POST", `${site.url}/other`, { headers })).status, 403);
  assert.equal((await visitor.send("POST", `${site.url}/session/sign-out`, { headers })).status, 200);
  assert.equal(visitor.header, "");
});

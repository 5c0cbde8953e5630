// What it runs under in production: a mounted router, several processes on one port, reloading, signals, and strangers' bytes.
"use strict";

const assert = require("node:assert/strict");
const { spawn, spawnSync } = require("node:child_process");
const { once } = require("node:events");
const http = require("node:http");
const net = require("node:net");
const path = require("node:path");
const { test } = require("node:test");

const session = require("..");
const { wire } = require("./support/cookies");
const { randomness } = require("./support/randomness");

const SETTINGS = { resave: false, saveUninitialized: false, secret: "keyboard cat" };

async function listen(t, handler) {
  const server = http.createServer(handler).listen(0, "127.0.0.1");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return server.address().port;
}

for (const name of ["express", "express4"]) {
  test(`${name}: a router that is mounted below the cookie's path`, async (t) => {
    const express = require(name);
    const admin = express.Router();
    admin.use(session({ ...SETTINGS, cookie: { path: "/admin" }, saveUninitialized: true }));
    const app = express();
    app.use("/admin", admin);
    app.use("/adm", admin);
    app.use((req, res) => res.json({ hasSession: req.session !== undefined, url: req.url }));
    const port = await listen(t, app);
    for (const [url, hasSession] of [["/admin", true], ["/admin/users", true], ["/adm/users", false], ["/", false]]) {
      const answer = await fetch(`http://127.0.0.1:${port}${url}`);
      assert.deepEqual(await answer.json(), { hasSession, url });
      assert.equal(answer.headers.has("set-cookie"), hasSession);
    }
  });
}

test("processes on one port know what each of them signed, and exit when they are told to", async () => {
  const program = path.join(__dirname, "support", "cluster-on-one-port.js");
  const primary = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(primary, "exit");
  try {
    const [port] = await once(primary.stdout, "data");
    const get = async (cookie) => {
      // A connection each, for connections are what is shared out.
      const request = http.get({ agent: false, headers: cookie ? { cookie } : {}, host: "127.0.0.1", port: Number(port) });
      const [answer] = await once(request, "response");
      const body = (await answer.setEncoding("utf8").toArray()).join("");
      return { ...JSON.parse(body), cookie: answer.headers["set-cookie"]?.[0].split(";")[0] };
    };
    const { cookie } = await get();
    const seen = [];
    for (let times = 0; times < 8; times++) seen.push(await get(cookie));
    assert.equal(new Set(seen.map(({ pid }) => pid)).size, 2);
    for (const { sid } of seen) assert.equal(`connect.sid=${wire(sid, SETTINGS.secret)}`, cookie);
  } finally {
    primary.kill("SIGTERM");
  }
  assert.equal((await exited)[0], 0);
});

for (const what of ["the package", "everything"]) {
  test(`loading ${what} again 200 times leaves nothing behind, and one addon`, () => {
    const program = path.join(__dirname, "support", "reload.js");
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", program, what], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const { bytes, middlewares, addons } = JSON.parse(stdout);
    assert.ok(bytes < 2_048, `${bytes} bytes are left of each`);
    assert.ok(middlewares <= 2, `${middlewares} middlewares are left`);
    assert.equal(addons, 1);
  });
}

test("a process exits by itself when its server is closed, while a browser keeps its connection", async () => {
  const code = `
    const http = require("node:http");
    const session = require(${JSON.stringify(require.resolve(".."))});
    const middleware = session(${JSON.stringify({ ...SETTINGS, saveUninitialized: true })});
    const server = http.createServer((req, res) => middleware(req, res, () => res.end("hello")));
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
    process.once("SIGTERM", () => server.close());
  `;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const [port] = await once(child.stdout, "data");
  const socket = net.connect(Number(port), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
  const [answer] = await once(socket, "data");
  assert.match(answer.toString(), /^HTTP\/1\.1 200/);
  child.kill("SIGTERM");
  assert.equal((await exited)[0], 0);
  socket.destroy();
});

test("5,000 broken Cookie headers in a pipeline: never a 5xx", async (t) => {
  const middleware = session(SETTINGS);
  const port = await listen(t, (req, res) =>
    middleware(req, res, (error) => {
      res.statusCode = error ? 500 : 204;
      res.end();
    }),
  );
  const random = randomness(0xc00c1e);
  const socket = net.connect(port, "127.0.0.1");
  let answers = "";
  socket.on("data", (chunk) => (answers += chunk.toString("latin1")));
  const closed = once(socket, "close");
  const genuine = `connect.sid=${wire("known", SETTINGS.secret)}`;
  for (let sent = 0; sent < 5_000; ) {
    const at = random.below(genuine.length);
    const header = genuine.slice(0, at) + random.text(20) + genuine.slice(at + random.below(3));
    // What Node's parser refuses never gets to the middleware.
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(header)) continue;
    socket.write(`GET / HTTP/1.1\r\nHost: app.test\r\nCookie: ${header}\r\n\r\n`, "latin1");
    sent++;
  }
  socket.write("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n");
  await closed;
  const statuses = answers.match(/^HTTP\/1\.1 \d+/gm);
  assert.equal(statuses.length, 5_001);
  assert.deepEqual([...new Set(statuses)], ["HTTP/1.1 204"]);
});

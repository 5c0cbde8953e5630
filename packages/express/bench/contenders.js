// The same site three times: without sessions, on express-session, and on this package.
"use strict";

const http = require("node:http");

const SECRET = "a secret of 32 characters or more";

const NAMES = ["bare", "upstream", "ours"];

/** How large a session is as JSON, in bytes. */
const SIZES = { "230 bytes": 230, "10 KB": 10_000 };

/** What a visitor has beside a name: texts of 50 bytes each, until it is as large. */
function filling(bytes) {
  const values = {};
  for (let left = bytes - 20; left > 0; left -= 58) values[`key${Object.keys(values).length}`] = "x".repeat(Math.min(left, 50));
  return values;
}

/** The handler of every request: what is asked for is read, as a page reads who is signed in. */
function answer(req, res) {
  if (req.url === "/fill") Object.assign(req.session, { name: "ada" }, filling(Number(req.headers["x-bytes"])));
  res.end(req.session?.name ?? "nobody");
}

async function stores(session, redisUrl) {
  if (!redisUrl) return { store: new session.MemoryStore() };
  const client = require("redis").createClient({ url: redisUrl });
  await client.connect();
  const { RedisStore } = require("connect-redis");
  return { store: new RedisStore({ client, prefix: `${process.pid}:${Math.random()}:` }), client };
}

/** The site as a function of request and response. */
async function contender(name, redisUrl) {
  if (name === "bare") return { listener: answer };
  const session = name === "ours" ? require("..") : require("express-session");
  const { store, client } = await stores(session, redisUrl);
  const middleware = session({ store, secret: SECRET, resave: false, saveUninitialized: false });
  const listener = (req, res) => middleware(req, res, (error) => (error ? res.writeHead(500).end() : answer(req, res)));
  return { listener, client };
}

/** Served on a free port; gives its address, and the cookie of a session of this size. */
async function served(name, bytes, redisUrl) {
  const { listener } = await contender(name, redisUrl);
  const server = http.createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const cookie = name === "bare" ? "a=b" : await fill((headers) => fetch(`${url}/fill`, { headers }), bytes);
  return { url, cookie };
}

async function fill(send, bytes) {
  const answered = await send({ "x-bytes": String(bytes) });
  const header = answered.headers.get?.("set-cookie") ?? answered.headers["set-cookie"];
  return String(header).split(";")[0];
}

module.exports = { NAMES, SIZES, contender, fill, served };

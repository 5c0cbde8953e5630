// The same site on each library: `/fill` puts a session of some size together, `/read` reads one value of it, `/write` writes
// another number.
"use strict";

const http = require("node:http");

const SECRET = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";

/** What a visitor has beside a name: texts of 50 bytes each, until it is as large. */
function filling(bytes) {
  const values = {};
  for (let left = bytes - 20; left > 0; left -= 58) values[`key${Object.keys(values).length}`] = "x".repeat(Math.min(left, 50));
  return values;
}

/** One that was not written before, for a value that is there already is no write to some. */
let number = 1_000_000;

function serve(url, session, bytes) {
  if (url === "/fill") Object.assign(session, { name: "ada" }, filling(bytes));
  if (url === "/write") session.n = number++;
  return String(session.name);
}

function bare() {
  return http.createServer((req, res) => res.end("ada"));
}

function middleware(library, bytes, store) {
  const sessions = library({ store: store ?? new library.MemoryStore(), secret: SECRET, resave: false, saveUninitialized: false });
  return http.createServer((req, res) => {
    sessions(req, res, (error) => {
      if (error) return res.writeHead(500).end(error.message);
      res.end(serve(req.url, req.session, bytes));
    });
  });
}

/** Which takes the store that its URL names, and no other. */
async function engine(bytes, url, options) {
  const library = ours();
  const sessions = library({ store: await library.connect(url), secret: SECRET, ...options });
  return http.createServer((req, res) => {
    sessions(req, res, (error) => {
      if (error) return res.writeHead(error.status ?? 500).end(error.message);
      res.end(serve(req.url, req.session, bytes));
    });
  });
}

async function onRedis(library, bytes, redisUrl) {
  const client = require("redis").createClient({ url: redisUrl });
  await client.connect();
  const { RedisStore } = require("connect-redis");
  return middleware(library, bytes, new RedisStore({ client, prefix: `${process.pid}:` }));
}

function bareFastify() {
  const app = require("fastify")();
  app.get("/*", async () => "ada");
  return app;
}

function fastify(bytes) {
  const app = require("fastify")();
  app.register(require("@fastify/cookie"));
  app.register(require("@fastify/session"), { secret: SECRET, saveUninitialized: false, cookie: { secure: false } });
  app.get("/*", async (request) => serve(request.raw.url, request.session, bytes));
  return app;
}

/** Which keeps all in the cookie, so that nothing is looked up. */
function iron(bytes) {
  const { getIronSession } = require("iron-session");
  const options = { password: SECRET, cookieName: "session", cookieOptions: { secure: false } };
  return http.createServer(async (req, res) => {
    try {
      const session = await getIronSession(req, res, options);
      const text = serve(req.url, session, bytes);
      if (req.url !== "/read") await session.save();
      res.end(text);
    } catch (error) {
      res.writeHead(500).end(error.message);
    }
  });
}

const ours = () => require("../../../packages/express");
const upstream = () => require("express-session");

module.exports = {
  "bare": bare,
  "Tenure, engine": (bytes) => engine(bytes, "memory:"),
  "Tenure, engine, unsealed": (bytes) => engine(bytes, "memory:", { sealed: false }),
  "tenure-express": (bytes) => middleware(ours(), bytes),
  "express-session": (bytes) => middleware(upstream(), bytes),
  "iron-session": iron,
  "bare, fastify": bareFastify,
  "@fastify/session": fastify,
  "Tenure, engine on Redis": engine,
  "tenure-express, connect-redis": (bytes, redisUrl) => onRedis(ours(), bytes, redisUrl),
  "express-session, connect-redis": (bytes, redisUrl) => onRedis(upstream(), bytes, redisUrl),
};

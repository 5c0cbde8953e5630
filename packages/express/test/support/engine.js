// What the tests of the engine share: its options, the stores that it is tried with, and a browser that obeys.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const { once } = require("node:events");

const tenure = require("../..");
const { startPostgres, startRedis } = require("./servers");

exports.SECRET = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";
exports.OLDER_SECRET = "mQ7Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGz";
exports.COOKIE = "__Host-session";

/** The engine on a developer's machine; `store` is a URL, or what `tenure.connect` gave. */
exports.engine = async function (store, options = {}) {
  const connected = typeof store === "string" ? await tenure.connect(store) : store;
  return tenure({ store: connected, secret: exports.SECRET, environment: "development", ...options });
};

/** Stores by their names: each gives the URL of one that is empty, and what ends it. */
exports.STORES = {
  memory: async () => ({ url: "memory:", stop() {} }),
  SQLite: async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-engine-"));
    return { url: `sqlite:${path.join(folder, "sessions.db")}`, stop: () => fs.rmSync(folder, { recursive: true }) };
  },
  Redis: startRedis,
  PostgreSQL: startPostgres,
};

/** Serves a listener for requests, on HTTP/1 unless `server` makes another; what comes back has its address and ends it. */
exports.listen = async function (listener, make = http.createServer) {
  const server = make(listener);
  const connections = new Set();
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server,
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.close();
      for (const connection of connections) connection.destroy();
      await once(server, "close");
    },
  };
};

/** Something that is waited for: `reach()` ends the waiting of all that asked `reached`. */
exports.milestone = function () {
  let reach;
  const reached = new Promise((resolve) => {
    reach = resolve;
  });
  return { reach, reached };
};

/** A browser with one cookie jar, which drops what it is told to drop. */
exports.Visitor = class Visitor {
  constructor(cookies = []) {
    this.cookies = new Map(cookies);
  }

  get header() {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Another one with the same cookies. */
  copy() {
    return new Visitor(this.cookies);
  }

  async send(method, url, { headers = {}, ...more } = {}) {
    const cookie = this.header;
    const answer = await fetch(url, { method, headers: { ...(cookie && { cookie }), ...headers }, redirect: "manual", ...more });
    answer.headers.getSetCookie().forEach((line) => this.#keep(line));
    return answer;
  }

  async json(method, url, more) {
    const answer = await this.send(method, url, more);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(";");
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    const isDropped = attributes.some((attribute) => /^\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(attribute));
    if (isDropped) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(at + 1));
  }
};

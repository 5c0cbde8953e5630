// How Node runs it: as CommonJS and as a module, in clusters and worker threads, and when a server is closed.
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const { test } = require("node:test");

const { COUNT, run } = require("./support/program");
const { startRedis } = require("./support/servers");

const COUNTER = `
  const http = require("node:http");
  const { once } = require("node:events");
  const counter = (session, store) => {
    const middleware = session({ store, secret: "keyboard cat", resave: false, saveUninitialized: false });
    return http.createServer((req, res) => middleware(req, res, (error) => {
      if (error) throw error;
      req.session.count = (req.session.count ?? 0) + 1;
      res.end(String(req.session.count));
    }));
  };
  ${COUNT}
`;

test("require and import give the same", async () => {
  const seen = await run(
    `
      import { createRequire } from "node:module";
      import session, { Cookie, MemoryStore, Session, Store } from "tenure-express";
      import * as all from "tenure-express";
      import MemoryFile from "tenure-express/session/memory";
      const required = createRequire(process.cwd() + "/x.js")("tenure-express");
      console.log(JSON.stringify([
        required === session,
        required.Cookie === Cookie && required.Session === Session && required.Store === Store,
        required.MemoryStore === MemoryStore && MemoryFile === MemoryStore,
        Object.keys(all).sort(),
      ]));
    `,
    { type: "module" },
  );
  assert.deepEqual(seen, [true, true, true, ["Cookie", "MemoryStore", "Session", "SessionError", "Store", "connect", "default", "secretFrom"]]);
});

test("a session is the same in each process of a cluster", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const counts = await run(
    `
      const cluster = require("node:cluster");
      ${COUNTER}
      cluster.setupPrimary({ execArgv: [], exec: ${JSON.stringify(path.join(__dirname, "support", "cluster-worker.js"))} });
      (async () => {
        const workers = [cluster.fork(), cluster.fork(), cluster.fork()];
        const ports = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));
        const counts = [];
        let cookie;
        for (let turn = 0; turn < 9; turn++) {
          const [value, next] = await count(ports[turn % 3], cookie);
          cookie = next;
          counts.push(value);
        }
        console.log(JSON.stringify(counts));
        for (const worker of workers) worker.kill();
      })();
    `,
    { env: { REDIS_URL: redis.url } },
  );
  assert.deepEqual(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("worker threads have it each to themselves, and end while others go on", async () => {
  const work = `
    const { parentPort } = require("node:worker_threads");
    ${COUNTER}
    (async () => {
      const session = require("tenure-express");
      const server = counter(session, new session.MemoryStore()).listen(0, "127.0.0.1");
      await once(server, "listening");
      let value, cookie;
      for (let turn = 0; turn < 20; turn++) [value, cookie] = await count(server.address().port, cookie);
      parentPort.postMessage(value);
    })();
  `;
  const counts = await run(`
    const { once } = require("node:events");
    const { Worker } = require("node:worker_threads");
    (async () => {
      const counts = [];
      for (let round = 0; round < 3; round++) {
        const workers = Array.from({ length: 4 }, () => new Worker(${JSON.stringify(work)}, { eval: true }));
        for (const [value] of await Promise.all(workers.map((worker) => once(worker, "message")))) counts.push(value);
        await Promise.all(workers.map((worker) => worker.terminate()));
      }
      require("tenure-express")({ secret: "s", resave: false, saveUninitialized: false });
      console.log(JSON.stringify(counts));
    })();
  `);
  assert.deepEqual(counts, Array(12).fill(20));
});

test("closing a server lets a response go out that waits for the store", async () => {
  const answer = await run(`
    ${COUNTER}
    (async () => {
      const session = require("tenure-express");
      const store = new session.MemoryStore();
      const saves = [];
      store.set = (sid, data, callback) => void saves.push(callback);
      const server = counter(session, store).listen(0, "127.0.0.1");
      await once(server, "listening");
      const answer = count(server.address().port);
      while (saves.length === 0) await new Promise(setImmediate);
      server.close();
      saves[0](null);
      const [value, cookie] = await answer;
      console.log(JSON.stringify([value, cookie.startsWith("connect.sid=s%3A")]));
    })();
  `);
  assert.deepEqual(answer, [1, true]);
});

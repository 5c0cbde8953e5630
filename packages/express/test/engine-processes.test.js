// How Node runs the engine: in clusters and worker threads, loaded again, and when it is time to go.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, before, test } = require("node:test");

const { SECRET } = require("./support/engine");
const { COUNT, PACKAGE, run: runProgram } = require("./support/program");
const { startRedis } = require("./support/servers");

let redis;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

const run = (source, options) => runProgram(source, { env: { NODE_ENV: "development", REDIS_URL: redis.url }, ...options });

const COUNTER = `
  const http = require("node:http");
  const { once } = require("node:events");
  const tenure = require("tenure-express");
  const makeSessions = async (options) =>
    tenure({ store: await tenure.connect(process.env.REDIS_URL), secret: ${JSON.stringify(SECRET)}, ...options });
  const counter = (sessions) => http.createServer((req, res) => sessions(req, res, async (error) => {
    if (error) throw error;
    res.end(String(await req.session.update("count", (count = 0) => count + 1)));
  }));
  const serve = async (options) => {
    const server = counter(await makeSessions(options)).listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  ${COUNT}
`;

test("it is imported by the names that are required", async () => {
  const seen = await run(
    `
      import { createRequire } from "node:module";
      import tenure, { SessionError, connect, secretFrom } from "tenure-express";
      const required = createRequire(process.cwd() + "/x.js")("tenure-express");
      const sessions = tenure({ store: await connect("memory:"), secret: ${JSON.stringify(SECRET)} });
      console.log(JSON.stringify([required === tenure, required.SessionError === SessionError, required.secretFrom === secretFrom, typeof sessions]));
    `,
    { type: "module" },
  );
  assert.deepEqual(seen, [true, true, true, "function"]);
});

test("processes of a cluster count on one session and lose nothing", async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-engine-cluster-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const program = path.join(folder, "worker.js");
  const counter = COUNTER.replace('"tenure-express"', JSON.stringify(PACKAGE));
  fs.writeFileSync(program, `${counter} serve().then((server) => process.send(server.address().port)); process.on("disconnect", () => process.exit());`);
  const counts = await run(`
    const cluster = require("node:cluster");
    ${COUNTER}
    cluster.setupPrimary({ execArgv: [], exec: ${JSON.stringify(program)} });
    (async () => {
      const workers = [cluster.fork(), cluster.fork(), cluster.fork()];
      const ports = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));
      const [, cookie] = await count(ports[0]);
      const clients = Array.from({ length: 12 }, async (_, client) => {
        for (let turn = 0; turn < 10; turn++) await count(ports[(client + turn) % 3], cookie);
      });
      await Promise.all(clients);
      console.log(JSON.stringify((await count(ports[0], cookie))[0]));
      for (const worker of workers) worker.kill();
    })();
  `);
  assert.equal(counts, 122);
});

for (const store of ["memory:", "redis"]) {
  test(`worker threads have the engine each to themselves, and end while others go on: ${store}`, async () => {
    const work = `
      const { parentPort } = require("node:worker_threads");
      ${COUNTER}
      (async () => {
        ${store === "memory:" ? 'process.env.REDIS_URL = "memory:";' : ""}
        let events = 0;
        const server = await serve({ onEvent: () => events++ });
        let value, cookie;
        for (let turn = 0; turn < 20; turn++) [value, cookie] = await count(server.address().port, cookie);
        while (events === 0) await new Promise(setImmediate);
        parentPort.postMessage(value);
      })();
    `;
    const counts = await run(`
      const { Worker } = require("node:worker_threads");
      ${COUNTER}
      (async () => {
        const counts = [];
        for (let round = 0; round < 3; round++) {
          const workers = Array.from({ length: 4 }, () => new Worker(${JSON.stringify(work)}, { eval: true }));
          for (const [value] of await Promise.all(workers.map((worker) => once(worker, "message")))) counts.push(value);
          await Promise.all(workers.map((worker) => worker.terminate()));
        }
        await makeSessions({ onEvent() {} });
        console.log(JSON.stringify(counts));
      })();
    `);
    assert.deepEqual(counts, Array(12).fill(20));
  });
}

test("a worker thread that is ended in the middle of requests takes nobody with it", async () => {
  const work = `
    const { parentPort } = require("node:worker_threads");
    ${COUNTER}
    (async () => {
      const server = await serve({ onEvent: () => { throw new Error("busy"); } });
      process.on("warning", () => {});
      parentPort.postMessage(server.address().port);
    })();
  `;
  const ended = await run(
    `
      const { Worker } = require("node:worker_threads");
      ${COUNTER}
      (async () => {
        let ended = 0;
        for (let round = 0; round < 10; round++) {
          const worker = new Worker(${JSON.stringify(work)}, { eval: true });
          const [port] = await once(worker, "message");
          const [, cookie] = await count(port);
          const requests = Array.from({ length: 20 }, () => count(port, cookie).catch(() => {}));
          await new Promise(setImmediate);
          await worker.terminate();
          await Promise.all(requests);
          ended++;
        }
        console.log(JSON.stringify(ended));
      })();
    `,
    { flags: ["--no-warnings"] },
  );
  assert.equal(ended, 10);
});

test("a process ends by itself when its server is closed, with idle connections and the store open", async () => {
  const done = await run(`
    ${COUNTER}
    (async () => {
      const events = [];
      const server = await serve({ onEvent: (event) => events.push(event) });
      const agent = new http.Agent({ keepAlive: true });
      const requests = Array.from({ length: 5 }, async () => {
        const request = http.get({ port: server.address().port, host: "127.0.0.1", agent });
        const [response] = await once(request, "response");
        response.resume();
        await once(response, "end");
      });
      await Promise.all(requests);
      server.close();
      await once(server, "close");
      console.log(JSON.stringify("closed"));
    })();
  `);
  assert.equal(done, "closed");
});

test("a process that is told to exit does so, in the middle of events and requests", async () => {
  const done = await run(`
    ${COUNTER}
    process.on("SIGTERM", () => process.exit(0));
    (async () => {
      const server = await serve({ onEvent: () => { const until = Date.now() + 5; while (Date.now() < until); } });
      for (let times = 0; times < 200; times++) count(server.address().port).catch(() => {});
      await count(server.address().port);
      console.log(JSON.stringify("busy"));
    })();
  `, { signal: "SIGTERM" });
  assert.equal(done, "busy");
});

test("closing a server lets a response go out that waits for the store", async () => {
  const answer = await run(`
    ${COUNTER}
    (async () => {
      const sessions = await makeSessions();
      let arrived;
      const handling = new Promise((resolve) => (arrived = resolve));
      const server = http.createServer((req, res) => sessions(req, res, () => {
        req.session.count = 1;
        res.end("kept");
        arrived();
      })).listen(0, "127.0.0.1");
      await once(server, "listening");
      const answer = fetch("http://127.0.0.1:" + server.address().port);
      await handling;
      server.close();
      const response = await answer;
      console.log(JSON.stringify([await response.text(), response.headers.getSetCookie().length]));
    })();
  `);
  assert.deepEqual(answer, ["kept", 1]);
});

test("loading it again and again, as tools for development do, keeps nothing of what was loaded before, and its store goes on", async () => {
  const { middlewares, grownBy, counts } = await run(
    `
      const fs = require("node:fs");
      const path = require("node:path");
      const { createRequire } = require("node:module");
      ${COUNTER}
      const parts = fs.readdirSync("lib", { recursive: true }).filter((name) => name.endsWith(".js")).map((name) => path.resolve("lib", name));
      const loaded = [];
      const reload = () => {
        for (const file of [path.resolve("index.js"), ...parts]) delete require.cache[file];
        return createRequire(path.resolve("app.js"))("tenure-express");
      };
      const settle = async () => {
        for (let turn = 0; turn < 5; turn++) {
          await new Promise(setImmediate);
          gc();
        }
        return process.memoryUsage().heapUsed;
      };
      (async () => {
        // Of the first load, as an application keeps it aside while the rest is loaded again.
        const store = await tenure.connect(process.env.REDIS_URL);
        const make = () => loaded.push(new WeakRef(reload()({ store, secret: ${JSON.stringify(SECRET)} })));
        for (let times = 0; times < 30; times++) make();
        const before = await settle();
        for (let times = 0; times < 200; times++) make();
        const grownBy = (await settle()) - before;
        const counts = [];
        let cookie;
        for (let times = 0; times < 3; times++) {
          const server = counter(reload()({ store, secret: ${JSON.stringify(SECRET)} })).listen(0, "127.0.0.1");
          await once(server, "listening");
          let value;
          [value, cookie] = await count(server.address().port, cookie);
          counts.push(value);
          server.closeAllConnections();
          server.close();
        }
        console.log(JSON.stringify({ middlewares: loaded.filter((kept) => kept.deref()).length, grownBy, counts }));
      })();
    `,
    { flags: ["--expose-gc"] },
  );
  assert.ok(middlewares <= 2, `${middlewares} middlewares are left`);
  assert.ok(grownBy < 200 * 3072, `each load keeps ${Math.round(grownBy / 200)} bytes`);
  assert.deepEqual(counts, [1, 2, 3]);
});

test("thousands of requests leave nothing behind", async () => {
  const grownBy = await run(
    `
      ${COUNTER}
      (async () => {
        process.env.REDIS_URL = "memory:";
        const server = await serve({ guessLimit: "unlimited" });
        const { port } = server.address();
        const [, cookie] = await count(port);
        const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
        const many = (times) => Promise.all(Array.from({ length: 8 }, async () => {
          for (let done = 0; done < times / 8; done++) {
            const request = http.get({ port, host: "127.0.0.1", agent, headers: { cookie } });
            const [response] = await once(request, "response");
            response.resume();
            await once(response, "end");
          }
        }));
        const settle = async () => {
          for (let turn = 0; turn < 5; turn++) {
            await new Promise(setImmediate);
            gc();
          }
          return process.memoryUsage();
        };
        await many(1_000);
        const before = await settle();
        await many(4_000);
        const now = await settle();
        agent.destroy();
        server.closeAllConnections();
        server.close();
        console.log(JSON.stringify({ heap: now.heapUsed - before.heapUsed, resident: now.rss - before.rss }));
      })();
    `,
    { flags: ["--expose-gc"] },
  );
  assert.ok(grownBy.heap < 4_000 * 200, `${grownBy.heap} bytes of the heap`);
  assert.ok(grownBy.resident < 4_000 * 8_000, `${grownBy.resident} resident bytes`);
});

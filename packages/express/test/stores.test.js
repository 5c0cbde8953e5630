// The stores that people use, on real servers and unchanged: as on express-session, and from there to here and back with
// everybody signed in.
"use strict";

const assert = require("node:assert/strict");
const { after, before, suite, test } = require("node:test");

const upstream = require("express-session");
const ours = require("..");
const { Browser, open } = require("./support/site");
const servers = require("./support/servers");

const ADA = { name: "ada", since: "1970-01-01T00:00:00.000Z" };

/** How each is made for an implementation that it inherits from, and closed. */
const STORES = {
  "connect-redis": {
    start: servers.startRedis,
    async make(session, { url }) {
      const client = require("redis").createClient({ url });
      await client.connect();
      const { RedisStore } = require("connect-redis");
      return { store: new RedisStore({ client }), close: () => client.destroy() };
    },
  },
  "connect-pg-simple": {
    start: servers.startPostgres,
    async make(session, { url }) {
      const { Pool } = require("pg");
      const pool = new Pool({ connectionString: url });
      // Killed with its server.
      pool.on("error", () => {});
      const Store = require("connect-pg-simple")(session);
      const store = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false });
      return { store, close: () => pool.end() };
    },
  },
  "connect-mongo": {
    start: servers.startMongo,
    async make(session, { url }) {
      const { MongoStore } = require("connect-mongo");
      const store = MongoStore.create({ mongoUrl: url });
      return { store, close: () => store.close() };
    },
  },
  "connect-mongo, as documents": {
    start: servers.startMongo,
    async make(session, { url }) {
      const { MongoStore } = require("connect-mongo");
      const store = MongoStore.create({ mongoUrl: url, stringify: false });
      return { store, close: () => store.close() };
    },
  },
  "express-mysql-session": {
    start: servers.startMariaDb,
    async make(session, { stop, ...options }) {
      const Store = require("express-mysql-session")(session);
      const store = new Store({ ...options, clearExpired: false });
      await store.onReady();
      return { store, close: () => store.close() };
    },
  },
  memorystore: {
    start: async () => ({ stop: async () => {} }),
    /** One process, one memory. */
    async make(session, server) {
      server.store ??= new (require("memorystore")(session))({ checkPeriod: 60_000 });
      return { store: server.store, close: () => server.store.stopInterval() };
    },
  },
};

for (const [name, kind] of Object.entries(STORES)) {
  suite(name, () => {
    let server;
    before(async () => {
      server = await kind.start();
    });
    after(() => server.stop());

    /** Runs `work` on a site over a connection of its own. */
    async function on(session, work) {
      const { store, close } = await kind.make(session, server);
      const site = await open(session, store);
      try {
        return await work(site.url, store);
      } finally {
        await site.close();
        await close();
      }
    }

    test("who signed in on express-session stays signed in here, and there again", async () => {
      const ada = new Browser();
      await on(upstream, async (url) => {
        // To its end, for express-session lets the head out before it has saved.
        await (await ada.send("POST", `${url}/sign-in/ada`)).text();
        assert.equal(await ada.json("POST", `${url}/count`), 1);
      });
      await on(ours, async (url) => {
        assert.deepEqual(await ada.json("GET", `${url}/me`), ADA);
        assert.equal(await ada.json("POST", `${url}/count`), 2);
      });
      await on(upstream, async (url) => {
        assert.deepEqual(await ada.json("GET", `${url}/me`), ADA);
        assert.equal(await ada.json("POST", `${url}/count`), 3);
      });
    });

    test("who signs in here is signed in on express-session, and signs out there", async () => {
      const ada = new Browser();
      await on(ours, async (url) => {
        const answer = await ada.send("POST", `${url}/sign-in/ada`);
        assert.equal(answer.status, 302);
        // The redirect waited for the store, so the page it leads to has the session.
        assert.deepEqual(await ada.json("GET", `${url}/me`), ADA);
      });
      await on(upstream, async (url) => {
        assert.deepEqual(await ada.json("GET", `${url}/me`), ADA);
        assert.equal(await ada.json("POST", `${url}/sign-out`), "bye");
      });
      await on(ours, async (url) => assert.equal(await ada.json("GET", `${url}/me`), null));
    });

    test("a session that is signed out of here is gone from the store", async () => {
      const ada = new Browser();
      await on(ours, async (url, store) => {
        await ada.send("POST", `${url}/sign-in/ada`);
        const sid = decodeURIComponent(ada.cookies.get("connect.sid")).slice(2).split(".")[0];
        const stored = () => new Promise((resolve, reject) => store.get(sid, (error, found) => (error ? reject(error) : resolve(found))));
        assert.equal((await stored()).user.name, "ada");
        assert.equal(await ada.json("POST", `${url}/sign-out`), "bye");
        assert.ok(!(await stored()));
        assert.equal(await ada.json("GET", `${url}/me`), null);
      });
    });

    test("many users at once keep their own sessions", async () => {
      await on(ours, async (url) => {
        const users = Array.from({ length: 40 }, (_, index) => [`user-${index}`, new Browser()]);
        const life = async ([name, browser]) => {
          await browser.send("POST", `${url}/sign-in/${name}`);
          for (let count = 1; count <= 3; count++) assert.equal(await browser.json("POST", `${url}/count`), count);
          assert.equal((await browser.json("GET", `${url}/me`)).name, name);
        };
        await Promise.all(users.map(life));
      });
    });
  });
}

test("a store whose server is gone is an error that reaches the application, not a stranger's empty session", async () => {
  const server = await servers.startRedis();
  const { store, close } = await STORES["connect-redis"].make(ours, server);
  store.client.on("error", () => {});
  const site = await open(ours, store);
  const ada = new Browser();
  await ada.send("POST", `${site.url}/sign-in/ada`);
  const cookie = ada.cookies.get("connect.sid");
  store.client.destroy();
  await server.stop();
  const answer = await ada.send("GET", `${site.url}/me`);
  assert.equal(answer.status, 500);
  assert.equal(ada.cookies.get("connect.sid"), cookie);
  await site.close();
  try {
    close();
  } catch {
    // It is closed already.
  }
});

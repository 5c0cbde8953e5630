// Requests at once, to two instances over one store: nothing that was acknowledged is lost, and what has ended stays so.
"use strict";

const assert = require("node:assert/strict");
const { after, before, describe, test } = require("node:test");

const express = require("express");

const tenure = require("..");
const { STORES, Visitor, engine, listen, milestone } = require("./support/engine");
const { randomness } = require("./support/randomness");

const CLIENTS = 64;
const UPDATES_EACH = 10;
const ROUNDS = 100;

/** Writes of a request that was under way before something happened to its session. */
const WRITES = {
  property: async (session, value) => {
    session.late = value;
  },
  nested: async (session, value) => {
    session.cart.push(value);
  },
  update: async (session, value) => {
    await session.update("late", () => value);
  },
  save: async (session, value) => {
    session.late = value;
    await session.save();
  },
};

/** One instance. Late requests are held by `hold` after their session was loaded. */
function site(sessions, hold) {
  const app = express();
  app.use(sessions);
  app.post("/sign-in/:user", async (req, res) => {
    await req.session.signIn(req.params.user);
    req.session.cart = [];
    res.json(req.session.owner);
  });
  app.get("/me", (req, res) => res.json({ owner: req.session.owner ?? null, ...req.session }));
  const add = (count) => (count ?? 0) + 1;
  const changes = { count: add, "count-by-promise": async (count) => add(await count) };
  for (const [place, change] of Object.entries(changes)) {
    app.post(`/${place}`, async (req, res) => res.json(await req.session.update("count", change)));
  }
  app.post("/set/:name/:value", async (req, res) => {
    await hold(req);
    req.session[req.params.name] = req.params.value;
    res.json("set");
  });
  app.post("/late/:how/:value", async (req, res) => {
    await hold(req);
    await WRITES[req.params.how](req.session, req.params.value);
    res.json("written");
  });
  app.post("/write-while-saving", async (req, res) => {
    await hold(req);
    req.session.saved = "mine";
    const saving = req.session.save();
    req.session.theme = "mine";
    req.session.fresh = "mine";
    req.session.cart.push("mine");
    delete req.session.removed;
    await saving;
    res.json({ ...req.session });
  });
  for (const how of ["renew", "signOut", "destroy", "regenerate"]) {
    app.post(`/${how}`, async (req, res) => {
      await req.session[how]();
      res.json(how);
    });
  }
  app.post("/revoke-others", async (req, res) => res.json(await sessions.of(req.session.owner).revokeOthers(req.session)));
  app.use((error, req, res, next) => res.status(error.status ?? 500).json(error.message));
  return app;
}

/** Holds requests that name a gate in a header, until it opens. */
class Gates {
  #gates = new Map();

  close(name) {
    this.#gates.set(name, { arrived: 0, opening: milestone(), waiting: [] });
  }

  hold = async (req) => {
    const gate = this.#gates.get(req.headers["x-gate"]);
    if (!gate) return;
    gate.arrived += 1;
    for (const { count, reach } of gate.waiting) if (gate.arrived >= count) reach();
    await gate.opening.reached;
  };

  async arrived(name, count) {
    const gate = this.#gates.get(name);
    if (gate.arrived >= count) return;
    const { reach, reached } = milestone();
    gate.waiting.push({ count, reach });
    await reached;
  }

  open(name) {
    this.#gates.get(name).opening.reach();
  }
}

for (const [name, start] of Object.entries(STORES)) {
  describe(name, () => {
    const gates = new Gates();
    let store;
    let managers;
    let instances;

    before(async () => {
      store = await start();
      // Memory is one process's, and two instances share it; every other store has a connection for each.
      const shared = store.url === "memory:" ? await tenure.connect(store.url) : store.url;
      const options = { guessLimit: "unlimited", storeDeadline: 30_000 };
      managers = [await engine(shared, options), await engine(shared, options)];
      instances = await Promise.all(managers.map((sessions) => listen(site(sessions, gates.hold))));
    });
    after(async () => {
      for (const instance of instances) await instance.close();
      await store.stop();
    });

    const at = (which) => instances[which % 2].url;
    const isOver = async (visitor) => {
      for (const instance of instances) {
        assert.deepEqual(await visitor.copy().json("GET", `${instance.url}/me`), { owner: null });
      }
    };

    test(`${CLIENTS} clients that count at once on one session lose no count`, async () => {
      const visitor = new Visitor();
      await visitor.json("POST", `${at(0)}/sign-in/counter`);
      const clients = Array.from({ length: CLIENTS }, async (_, client) => {
        const counts = [];
        const place = client % 4 === 0 ? "count-by-promise" : "count";
        for (let turn = 0; turn < UPDATES_EACH; turn++) counts.push(await visitor.copy().json("POST", `${at(client + turn)}/${place}`));
        return counts;
      });
      const counts = (await Promise.all(clients)).flat();
      const all = Array.from({ length: CLIENTS * UPDATES_EACH }, (_, count) => count + 1);
      // Each of them was given to one client alone.
      assert.deepEqual(counts.sort((one, other) => one - other), all);
      for (const instance of instances) assert.equal((await visitor.copy().json("GET", `${instance.url}/me`)).count, all.length);
    });

    test("requests at once that set different keys all win, and of those that set the same key one does", async () => {
      const visitor = new Visitor();
      await visitor.json("POST", `${at(0)}/sign-in/ada`);
      gates.close("keys");
      const headers = { "x-gate": "keys" };
      const names = Array.from({ length: 24 }, (_, index) => `key${index}`);
      const requests = names.flatMap((key, index) => [
        visitor.copy().json("POST", `${at(index)}/set/${key}/${index}`, { headers }),
        visitor.copy().json("POST", `${at(index)}/set/same/${index}`, { headers }),
      ]);
      await gates.arrived("keys", requests.length);
      gates.open("keys");
      await Promise.all(requests);
      for (const instance of instances) {
        const { same, owner, cart, ...rest } = await visitor.copy().json("GET", `${instance.url}/me`);
        assert.deepEqual(rest, Object.fromEntries(names.map((key, index) => [key, String(index)])));
        assert.ok(Number(same) >= 0 && Number(same) < names.length, same);
      }
    });

    test("an object that is changed in place is saved", async () => {
      const visitor = new Visitor();
      await visitor.json("POST", `${at(0)}/sign-in/ada`);
      await visitor.json("POST", `${at(0)}/late/nested/tea`);
      await visitor.json("POST", `${at(1)}/late/nested/milk`);
      assert.deepEqual((await visitor.json("GET", `${at(0)}/me`)).cart, ["tea", "milk"]);
    });

    test("what a handler writes while its session is saved is later than what another request stored before", async () => {
      const visitor = new Visitor();
      await visitor.json("POST", `${at(0)}/sign-in/ada`);
      for (const key of ["theme", "removed"]) await visitor.json("POST", `${at(0)}/set/${key}/first`);
      gates.close("saving");
      const writing = visitor.copy().json("POST", `${at(0)}/write-while-saving`, { headers: { "x-gate": "saving" } });
      await gates.arrived("saving", 1);
      for (const key of ["theme", "fresh", "removed", "theirs"]) await visitor.copy().json("POST", `${at(1)}/set/${key}/other`);
      await visitor.copy().json("POST", `${at(1)}/late/nested/other`);
      gates.open("saving");
      const expected = { theme: "mine", fresh: "mine", saved: "mine", cart: ["mine"], theirs: "other" };
      assert.deepEqual(await writing, expected);
      for (const instance of instances) {
        assert.deepEqual(await visitor.copy().json("GET", `${instance.url}/me`), { owner: "ada", ...expected });
      }
    });

    for (const ending of ["signOut", "destroy"]) {
      test(`what is ended by ${ending} on one instance is gone on the other at once`, async () => {
        for (let round = 0; round < 20; round++) {
          const visitor = new Visitor();
          await visitor.json("POST", `${at(round)}/sign-in/ada`);
          const copy = visitor.copy();
          await visitor.json("POST", `${at(round)}/${ending}`);
          assert.equal(visitor.header, "");
          assert.deepEqual(await copy.copy().json("GET", `${at(round + 1)}/me`), { owner: null });
        }
      });
    }

    test(`in ${ROUNDS} rounds nothing that is written late revives a session that was signed out of`, async () => {
      const random = randomness(0x51);
      for (let round = 0; round < ROUNDS; round++) {
        const owner = `leaver-${round}`;
        const ending = random.pick(["signOut", "destroy"]);
        const { visitor, others } = await withLateWrites(random, owner, (visitor, which) =>
          visitor.json("POST", `${at(which)}/${ending}`),
        );
        assert.equal(visitor.header, "", "the browser keeps its cookie");
        for (const other of others) await isOver(other);
        assert.deepEqual(await managers[round % 2].of(owner).list(), []);
      }
    });

    for (const renewal of ["renew", "regenerate", "sign-in/ada", "sign-in/eve"]) {
      test(`after ${renewal} the old cookie is worth nothing, whatever was written late by it`, async () => {
        const random = randomness(0x52);
        for (let round = 0; round < 20; round++) {
          const { visitor, others } = await withLateWrites(random, "ada", async (visitor, which) => {
            const old = visitor.copy();
            await visitor.json("POST", `${at(which)}/${renewal}`);
            assert.notEqual(visitor.header, old.header);
          });
          const owner = renewal === "sign-in/eve" ? "eve" : "ada";
          for (const instance of instances) assert.equal((await visitor.copy().json("GET", `${instance.url}/me`)).owner, owner);
          for (const other of others) {
            // One that began on the new cookie, or was given it, does no harm.
            if (other.header !== visitor.header) await isOver(other);
          }
          await visitor.json("POST", `${at(round)}/signOut`);
        }
        assert.deepEqual(await managers[0].of("eve").list(), []);
      });
    }

    test("what another user wrote before is not there after another signs in, however late it is written", async () => {
      const random = randomness(0x53);
      for (let round = 0; round < 20; round++) {
        const { visitor } = await withLateWrites(random, "ada", (visitor, which) => visitor.json("POST", `${at(which)}/sign-in/eve`));
        assert.deepEqual(await visitor.json("GET", `${at(round)}/me`), { owner: "eve", cart: [] });
      }
    });

    test("revokeOthers ends every other session of the user, with requests of theirs in flight", async () => {
      const random = randomness(0x54);
      for (let round = 0; round < 10; round++) {
        const owner = `revoker-${round}`;
        const gate = `revoke-${round}`;
        const devices = Array.from({ length: 5 }, () => new Visitor());
        for (const [index, device] of devices.entries()) await device.json("POST", `${at(index)}/sign-in/${owner}`);
        gates.close(gate);
        const copies = devices.slice(1).map((device) => device.copy());
        const late = copies.map((device, index) => write(random, device, index, gate));
        await gates.arrived(gate, late.length);
        const revoking = devices[0].json("POST", `${at(round)}/revoke-others`);
        if (random.below(2)) assert.equal(await revoking, 4);
        gates.open(gate);
        await revoking;
        for (const answer of await Promise.all(late)) assert.ok(answer.status < 500, await answer.text());
        for (const device of [...devices.slice(1), ...copies]) await isOver(device);
        assert.equal((await devices[0].json("GET", `${at(round)}/me`)).owner, owner);
        assert.equal((await managers[0].of(owner).list()).length, 1);
      }
    });

    const write = (random, visitor, which, gate) =>
      visitor.send("POST", `${at(which)}/late/${random.pick(Object.keys(WRITES))}/${which}`, { headers: { "x-gate": gate } });

    let rounds = 0;

    /**
     * Signs in, has a few requests under way, and does `act`, while they write before, after or at the same time. The
     * others are browsers that hold what each of those requests was sent with or was answered.
     */
    async function withLateWrites(random, owner, act) {
      const gate = `late-${rounds++}`;
      const visitor = new Visitor();
      await visitor.json("POST", `${at(random.below(2))}/sign-in/${owner}`);
      const before = visitor.copy();
      gates.close(gate);
      const writers = Array.from({ length: 2 + random.below(3) }, () => visitor.copy());
      const late = writers.map((writer) => write(random, writer, random.below(2), gate));
      await gates.arrived(gate, late.length);
      const order = random.pick(["after", "at once", "before"]);
      if (order === "before") {
        gates.open(gate);
        await Promise.all(late);
      }
      const acting = act(visitor, random.below(2));
      if (order === "after") await acting;
      gates.open(gate);
      await acting;
      for (const answer of await Promise.all(late)) {
        assert.ok(answer.status === 200 || answer.status === 409, `${order}: ${answer.status} ${await answer.text()}`);
      }
      return { visitor, others: [before, ...writers] };
    }
  });
}

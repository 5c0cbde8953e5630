// Prints how many megabytes are left of 30 MB of sessions that were loaded and are no more, for each way to end them.
"use strict";

const http = require("node:http");

const session = require("../..");
const { wire } = require("./cookies");

const SIDS = Array.from({ length: 300 }, (_, at) => `s${at}`);
const SECRET = "keyboard cat";

const WAYS = {
  destroyed: (store) => SIDS.forEach((sid) => store.destroy(sid)),
  cleared: (store) => store.clear(),
  saved: (store) => SIDS.forEach((sid) => store.set(sid, { cookie: new session.Cookie() })),
  ended: async (store, load) => {
    const cookie = Object.assign(new session.Cookie(), { expires: new Date(0) });
    for (const sid of SIDS) store.touch(sid, { cookie });
    await load();
  },
};

async function heap() {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(setImmediate);
    gc();
  }
  return process.memoryUsage().heapUsed;
}

async function leftAfter(end) {
  const store = new session.MemoryStore();
  const middleware = session({ store, secret: SECRET, resave: false, saveUninitialized: false });
  const visit = (sid) =>
    new Promise((resolve, reject) => {
      const req = { headers: { cookie: `connect.sid=${wire(sid, SECRET)}` }, url: "/" };
      middleware(req, new http.ServerResponse(req), (error) => (error ? reject(error) : resolve()));
    });
  const load = async () => {
    for (const sid of SIDS) await visit(sid);
  };
  const before = await heap();
  for (const sid of SIDS) store.set(sid, { cookie: new session.Cookie(), text: sid + "x".repeat(100_000) });
  await load();
  if ((await heap()) - before < 30e6) throw new Error("the sessions do not take what they should");
  await end(store, load);
  const left = (await heap()) - before;
  // Until here, the store itself is needed.
  store.removeAllListeners();
  return Math.round(left / 1e5) / 10;
}

(async () => {
  const left = {};
  for (const way in WAYS) left[way] = await leftAfter(WAYS[way]);
  console.log(JSON.stringify(left));
})();

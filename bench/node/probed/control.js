// What passes by the library: who waits, whether the store works, and what a thief would make of it.
"use strict";

let waiting = 0;

/** Of a library without a store. */
const noStore = { failLoads() {}, dump: () => [] };

/**
 * The control of one site: `store` fails to load on command, and can be stolen; `forge` makes, of a genuine cookie and of
 * what was stolen, the cookies of one who knows the secret.
 */
function controlOf({ store = noStore, forge }) {
  const answers = {
    "/control/waiting": () => String(waiting),
    "/control/loads/fail": () => store.failLoads(true),
    "/control/loads/work": () => store.failLoads(false),
    "/control/dump": async () => JSON.stringify(await store.dump()),
    "/control/forgery": async (req) => {
      const [, genuine] = req.headers.cookie.split(/=(.*)/);
      return JSON.stringify(await forge(genuine, await store.dump()));
    },
  };

  /** Answers what the library must not see; false if the request is not of that kind. */
  return function control(req, res) {
    const find = answers[req.url];
    if (!find) return false;
    answer(find, req, res);
    return true;
  };
}

async function answer(find, req, res) {
  try {
    res.end(await find(req));
  } catch (error) {
    res.writeHead(500).end(error.message);
  }
}

/** Waits for the end of a request's body. */
async function waitForTheEnd(req) {
  waiting++;
  try {
    for await (const chunk of req) void chunk;
  } finally {
    waiting--;
  }
}

/** Waits until the visitor has gone. */
async function waitForLeaving(req) {
  waiting++;
  await new Promise((resolve) => req.socket.once("close", resolve));
  waiting--;
}

module.exports = { controlOf, waitForLeaving, waitForTheEnd };

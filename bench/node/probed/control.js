// What passes by the library: who waits, whether the store works, and what a thief would find in it.
"use strict";

let waiting = 0;
let failsLoads = false;
const kept = [];

/** Answers what the library must not see; false if the request is not of that kind. */
function control(req, res) {
  switch (req.url) {
    case "/control/waiting":
      return answer(res, String(waiting));
    case "/control/loads/fail":
      failsLoads = true;
      return answer(res, "done");
    case "/control/loads/work":
      failsLoads = false;
      return answer(res, "done");
    case "/control/dump":
      return answer(res, JSON.stringify(kept));
    default:
      return false;
  }
}

function answer(res, text) {
  res.end(text);
  return true;
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

/** A store with callbacks that fails to load on command, and that can be stolen. */
function watched(store) {
  const { get, set } = store;
  store.get = (sid, callback) => {
    if (failsLoads) return setImmediate(callback, new Error("the store is out of order"));
    return get.call(store, sid, callback);
  };
  store.set = (sid, session, callback) => {
    kept.push(sid, JSON.stringify(session));
    return set.call(store, sid, session, callback);
  };
  return store;
}

module.exports = { control, waitForLeaving, waitForTheEnd, watched };

// A store in express-session's way that fails to load on command, and that can be stolen.
"use strict";

module.exports = function watched(store) {
  const { get, set } = store;
  const kept = [];
  let failsLoads = false;
  store.get = (sid, callback) => {
    if (failsLoads) return setImmediate(callback, new Error("the store is out of order"));
    return get.call(store, sid, callback);
  };
  store.set = (sid, session, callback) => {
    kept.push(sid, JSON.stringify(session));
    return set.call(store, sid, session, callback);
  };
  return {
    store,
    failLoads: (fail) => void (failsLoads = fail),
    dump: () => kept,
  };
};

// A store that writes down its calls, and misbehaves as it is told.
"use strict";

const util = require("node:util");

const YEAR = 365 * 24 * 3_600_000;

const records = () => ({
  known: JSON.stringify({
    cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: "/" },
    n: 1,
    cart: ["a", { b: 2 }],
    text: "é😀",
  }),
  aged: JSON.stringify({
    cookie: { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000), httpOnly: true, path: "/" },
    n: 1,
  }),
  ended: JSON.stringify({
    cookie: { originalMaxAge: 60_000, expires: new Date(Date.now() - 1), httpOnly: true, path: "/" },
    n: 1,
  }),
  "no-cookie": JSON.stringify({ n: 1 }),
  lists: JSON.stringify({
    n: 1,
    cookie: { path: "/", _expires: null, originalMaxAge: null, httpOnly: true, own: { deep: [1] } },
    items: [[], {}, null, [{ a: [1, "2"] }]],
    7: "seven",
    none: null,
    empty: "",
    no: false,
  }),
  methods: JSON.stringify({
    cookie: { originalMaxAge: YEAR, expires: new Date(Date.now() + YEAR), httpOnly: true, path: "/", secure: false },
    id: "x",
    req: "y",
    save: "z",
    n: 1,
  }),
});

const failure = (what) => Object.assign(new Error(`store: ${what} failed`), { code: "EDOWN" });

/**
 * `kind.form`: memory (the implementation's own), bare (the same, without a record of its calls), es5, class, or methods only; `kind.sync`: answers at once;
 * `kind.faults`: method → error, throws, enoent, null, twice. `kind.without`: methods that it does not have.
 */
exports.recordingStore = function (implementation, kind, note) {
  const { form = "es5", sync = false, faults = {}, without = [], known = "known" } = kind;
  if (form === "none") return undefined;

  const held = records();
  if (known !== "known") held.known = held[known];

  const answer = (callback, ...args) => {
    if (!callback) return;
    if (sync) callback(...args);
    else setImmediate(callback, ...args);
  };
  const methods = {
    get(sid, callback) {
      if (held[sid] === undefined) return answer(callback, null, undefined);
      const record = JSON.parse(held[sid]);
      // As most stores do: what has ended is not there.
      if (record.cookie?.expires && new Date(record.cookie.expires) <= Date.now()) return answer(callback, null, null);
      answer(callback, null, record);
    },
    set(sid, session, callback) {
      held[sid] = JSON.stringify(session);
      answer(callback, null);
    },
    destroy(sid, callback) {
      delete held[sid];
      answer(callback, null);
    },
    touch(sid, session, callback) {
      if (held[sid] !== undefined) held[sid] = JSON.stringify({ ...JSON.parse(held[sid]), cookie: session.cookie });
      answer(callback, null);
    },
  };

  const withFault = (name) =>
    function (sid, ...rest) {
      const callback = rest.at(-1);
      note(name, sid, rest.length > 1 ? JSON.stringify(rest[0]) : undefined, this === store);
      switch (faults[name]) {
        case "error":
          return answer(callback, failure(name));
        case "throws":
          throw failure(name);
        case "enoent":
          return answer(callback, Object.assign(failure(name), { code: "ENOENT" }));
        case "null":
          return answer(callback, null, null);
        case "twice":
          methods[name].call(this, sid, ...rest);
          return methods[name].call(this, sid, ...rest);
        default:
          return methods[name].call(this, sid, ...rest);
      }
    };

  let store;
  if (form === "memory" || form === "bare") {
    store = new implementation.MemoryStore();
    for (const sid in held) store.sessions[sid] = held[sid];
    if (form === "bare") return store;
    for (const name of ["get", "set", "destroy", "touch"]) {
      methods[name] = Object.getPrototypeOf(store)[name];
      store[name] = withFault(name);
    }
    return store;
  }
  if (form === "class") {
    store = new (class RecordingStore extends implementation.Store {})();
  } else {
    function RecordingStore() {
      implementation.Store.call(this);
    }
    util.inherits(RecordingStore, implementation.Store);
    store = new RecordingStore();
  }
  for (const name in methods) if (!without.includes(name)) store[name] = withFault(name);
  return store;
};

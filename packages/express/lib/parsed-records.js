// The records that the memory store has parsed lately.
"use strict";

const ParsedRecord = require("./parsed-record");

/** How much of a store is kept parsed, in characters of its JSON: some 3,000 sessions of 10 KB, which take 65 MB beside it. */
const MOST = 32 * 1024 * 1024;

/** By store. The store's `sessions` are what counts, for anybody may change them. */
const parsed = new WeakMap();

class Records {
  #records = new Map();
  #characters = 0;

  get(sid) {
    return this.#records.get(sid)?.record;
  }

  put(sid, record) {
    const size = record.json.length;
    if (size > MOST) return;
    this.#records.set(sid, { record, size });
    this.#characters += size;
    for (const oldest of this.#records.keys()) {
      if (this.#characters <= MOST) return;
      this.delete(oldest);
    }
  }

  delete(sid) {
    const kept = this.#records.get(sid);
    if (!kept) return;
    this.#records.delete(sid);
    this.#characters -= kept.size;
  }
}

/** The record under an id, parsed; `undefined` if there is none, or none of which copies can be made. */
exports.parsedRecord = function (store, sid) {
  const json = store.sessions[sid];
  let records = parsed.get(store);
  const known = records?.get(sid);
  if (json && known?.json === json) return known;

  records?.delete(sid);
  const record = json ? ParsedRecord.of(json) : undefined;
  if (!record) return undefined;
  if (!records) parsed.set(store, (records = new Records()));
  records.put(sid, record);
  return record;
};

/** Nothing of a session stays in memory that the store has not. */
exports.forget = function (store, sid) {
  parsed.get(store)?.delete(sid);
};

exports.forgetAll = function (store) {
  parsed.delete(store);
};

/** Whether the cookie of a record says that its session has ended; it is removed from the store then. */
exports.removeIfEnded = function (store, sid, cookie) {
  const expires = typeof cookie.expires === "string" ? new Date(cookie.expires) : cookie.expires;
  const hasEnded = expires && expires <= Date.now();
  if (hasEnded) {
    delete store.sessions[sid];
    exports.forget(store, sid);
  }
  return hasEnded;
};

// The records that the memory store has parsed lately.
"use strict";

const ParsedRecord = require("./parsed-record");

/** How many of a store are kept. */
const MOST = 1_000;

/** By store and session id. The store's `sessions` are what counts, for anybody may change them. */
const parsed = new WeakMap();

/** The record under an id, parsed; `undefined` if there is none, or none of which copies can be made. */
exports.parsedRecord = function (store, sid) {
  const json = store.sessions[sid];
  if (!json) return undefined;

  let records = parsed.get(store);
  if (!records) parsed.set(store, (records = new Map()));
  let record = records.get(sid);
  if (record?.json === json) return record;

  records.delete(sid);
  record = ParsedRecord.of(json);
  if (!record) return undefined;
  if (records.size >= MOST) records.delete(records.keys().next().value);
  records.set(sid, record);
  return record;
};

/** Whether the cookie of a record says that its session has ended; it is removed from the store then. */
exports.removeIfEnded = function (store, sid, cookie) {
  const expires = typeof cookie.expires === "string" ? new Date(cookie.expires) : cookie.expires;
  const hasEnded = expires && expires <= Date.now();
  if (hasEnded) delete store.sessions[sid];
  return hasEnded;
};

// A session from the memory store, without a record that is parsed and then copied into it.
"use strict";

const inflateCookie = require("./inflate-cookie");
const MemoryStore = require("./memory-store");
const { parsedRecord, removeIfEnded } = require("./parsed-records");
const Session = require("./session");
const Store = require("./store");

const { get } = MemoryStore.prototype;
const { createSession } = Store.prototype;

/**
 * What `get` of the memory store comes to: `found(record, cookie)` for a session that is there, and `found()` for one that
 * is not. False if that and `createSession` are not to be bypassed, because the application has put its own in their place.
 */
exports.load = function (store, sid, found) {
  if (store.get !== get || store.createSession !== createSession) return false;
  const record = parsedRecord(store, sid);
  if (!record) return false;
  const cookie = record.cookie();
  if (removeIfEnded(store, sid, cookie)) setImmediate(found);
  else setImmediate(found, record, cookie);
  return true;
};

/** What `createSession` makes of what was found. */
exports.create = function (req, record, cookie) {
  const session = new Session(req);
  record.copyTo(session, inflateCookie(cookie));
  req.session = session;
};

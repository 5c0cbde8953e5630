// Sessions in the memory of this process: for development and tests.
"use strict";

const util = require("node:util");

const { forget, forgetAll, parsedRecord, removeIfEnded } = require("./parsed-records");
const Store = require("./store");

function MemoryStore() {
  Store.call(this);
  this.sessions = Object.create(null);
}

util.inherits(MemoryStore, Store);

MemoryStore.prototype.all = function (callback) {
  const sessions = Object.create(null);
  for (const sid of Object.keys(this.sessions)) {
    const session = read(this, sid);
    if (session) sessions[sid] = session;
  }
  callback && setImmediate(callback, null, sessions);
};

MemoryStore.prototype.clear = function (callback) {
  this.sessions = Object.create(null);
  forgetAll(this);
  callback && setImmediate(callback);
};

MemoryStore.prototype.destroy = function (sid, callback) {
  delete this.sessions[sid];
  forget(this, sid);
  callback && setImmediate(callback);
};

MemoryStore.prototype.get = function (sid, callback) {
  setImmediate(callback, null, read(this, sid));
};

MemoryStore.prototype.set = function (sid, session, callback) {
  this.sessions[sid] = JSON.stringify(session);
  forget(this, sid);
  callback && setImmediate(callback);
};

MemoryStore.prototype.length = function (callback) {
  this.all((error, sessions) => {
    if (error) return callback(error);
    callback(null, Object.keys(sessions).length);
  });
};

MemoryStore.prototype.touch = function (sid, session, callback) {
  if (!touchCookieAlone(this, sid, session.cookie)) {
    const current = read(this, sid);
    if (current) {
      current.cookie = session.cookie;
      this.sessions[sid] = JSON.stringify(current);
    }
  }
  callback && setImmediate(callback);
};

function read(store, sid) {
  const json = store.sessions[sid];
  if (!json) return undefined;

  const session = JSON.parse(json);
  return session.cookie && removeIfEnded(store, sid, session.cookie) ? undefined : session;
}

// Parsing and writing 10 KB to change the date in front of them is most of what a touch would cost.
function touchCookieAlone(store, sid, cookie) {
  const record = parsedRecord(store, sid);
  if (!record) return false;
  if (removeIfEnded(store, sid, record.cookie())) return true;
  if (!record.replaceCookie(JSON.stringify(cookie))) return false;
  store.sessions[sid] = record.json;
  return true;
}

module.exports = MemoryStore;

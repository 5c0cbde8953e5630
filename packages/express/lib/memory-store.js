// Sessions in the memory of this process: for development and tests.
"use strict";

const util = require("node:util");

const Store = require("./store");

const COOKIE_FIRST = '{"cookie":';

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
  callback && setImmediate(callback);
};

MemoryStore.prototype.destroy = function (sid, callback) {
  delete this.sessions[sid];
  callback && setImmediate(callback);
};

MemoryStore.prototype.get = function (sid, callback) {
  setImmediate(callback, null, read(this, sid));
};

MemoryStore.prototype.set = function (sid, session, callback) {
  this.sessions[sid] = JSON.stringify(session);
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
  if (session.cookie && hasEnded(session.cookie)) {
    delete store.sessions[sid];
    return undefined;
  }
  return session;
}

function hasEnded(cookie) {
  const expires = typeof cookie.expires === "string" ? new Date(cookie.expires) : cookie.expires;
  return expires && expires <= Date.now();
}

// Parsing and writing 10 KB to change the date in front of them is most of what a touch would cost.
function touchCookieAlone(store, sid, cookie) {
  const json = store.sessions[sid];
  const end = json ? endOfCookie(json) : -1;
  const newCookie = end > 0 ? JSON.stringify(cookie) : undefined;
  if (newCookie === undefined) return false;

  if (hasEnded(JSON.parse(json.slice(COOKIE_FIRST.length, end)))) {
    delete store.sessions[sid];
  } else {
    store.sessions[sid] = COOKIE_FIRST + newCookie + json.slice(end);
  }
  return true;
}

/** Where the cookie of a record ends that begins with it; -1 if it does not, or holds objects itself. */
function endOfCookie(json) {
  if (!json.startsWith(COOKIE_FIRST + "{")) return -1;
  let inString = false;
  for (let at = COOKIE_FIRST.length + 1; at < json.length; at++) {
    const char = json.charCodeAt(at);
    if (char === 0x22) inString = !inString;
    else if (inString) at += char === 0x5c ? 1 : 0;
    else if (char === 0x7b) return -1;
    else if (char === 0x7d) return at + 1;
  }
  return -1;
}

module.exports = MemoryStore;

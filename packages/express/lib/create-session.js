// Asks a store to make a session of what it has loaded.
"use strict";

const { EventEmitter } = require("node:events");

const UPSTREAM_METHODS = ["constructor", "createSession", "load", "regenerate"].join();

/** What is known of each `createSession` that was met. */
const kinds = new WeakMap();

/** The method of this package's Store. */
let ours;

// Stores that inherit from the Store of express-session itself would build the sessions of that package.
// Only the base class counts: a store with a `createSession` of its own has it for a reason.
function isOfUpstreamBase(store, createSession) {
  let owner = store;
  while (owner && !Object.hasOwn(owner, "createSession")) owner = Object.getPrototypeOf(owner);
  return (
    owner?.createSession === createSession &&
    owner.constructor?.name === "Store" &&
    Object.getPrototypeOf(owner) === EventEmitter.prototype &&
    Object.getOwnPropertyNames(owner).sort().join() === UPSTREAM_METHODS
  );
}

module.exports = function createSession(store, req, data) {
  const { createSession } = store;
  if (typeof createSession === "function") {
    if (!kinds.has(createSession)) kinds.set(createSession, isOfUpstreamBase(store, createSession));
    if (kinds.get(createSession)) {
      // Required here, because Store needs Session, and Session needs this.
      ours ??= require("./store").prototype.createSession;
      return ours.call(store, req, data);
    }
  }
  return store.createSession(req, data);
};

// A stored session that was parsed once, of which each request gets a copy of its own.
"use strict";

const Snapshot = require("./snapshot");

const COOKIE_FIRST = '{"cookie":';

class ParsedRecord {
  /** The record as the store has it. */
  json;
  /** The record without its cookie, which changes with nearly every request. */
  snapshot;
  #cookie;
  /** What comes behind the cookie in the record, where that begins with it. */
  #rest;
  #names;
  #values;

  /** `undefined` for what is no session, or one that only parsing it anew does justice to. */
  static of(json) {
    const data = JSON.parse(json);
    if (typeof data !== "object" || data === null || data.toJSON !== undefined) return undefined;
    if (typeof data.cookie !== "object" || data.cookie === null) return undefined;
    // Written by somebody else, in other words than JSON.stringify's: what becomes of it shows only from the whole.
    if (JSON.stringify(data) !== json) return undefined;
    return new ParsedRecord(json, data);
  }

  constructor(json, data) {
    this.json = json;
    this.snapshot = new Snapshot(data);
    this.#cookie = JSON.stringify(data.cookie);
    this.#names = Object.keys(data);
    // Texts and numbers are shared by all copies, for nobody can change them.
    this.#values = this.#names.map((name) => {
      const value = data[name];
      return typeof value === "object" && value !== null ? new Nested(value) : value;
    });
    const start = COOKIE_FIRST + this.#cookie;
    if (json.startsWith(start)) this.#rest = json.slice(start.length);
  }

  /** The cookie as it was stored, new with each call. */
  cookie() {
    return JSON.parse(this.#cookie);
  }

  /** Puts another cookie into the record; false if its text does not say where. */
  replaceCookie(cookie) {
    if (this.#rest === undefined || cookie === undefined) return false;
    if (cookie !== this.#cookie) {
      this.#cookie = cookie;
      this.json = COOKIE_FIRST + cookie + this.#rest;
    }
    return true;
  }

  /** Copies all values, with `cookie` for theirs, to `session`, but for those that it has by that name already. */
  copyTo(session, cookie) {
    const names = this.#names;
    const values = this.#values;
    const taken = namesTaken(session);
    for (let at = 0; at < names.length; at++) {
      const name = names[at];
      if (taken.has(name)) continue;
      const value = values[at];
      session[name] = name === "cookie" ? cookie : value instanceof Nested ? value.copy() : value;
    }
  }
}

class Nested {
  #json;

  constructor(value) {
    this.#json = JSON.stringify(value);
  }

  copy() {
    return JSON.parse(this.#json);
  }
}

/** The names that an object has, by itself or by inheritance. An application may add to its prototype at any time. */
function namesTaken(object) {
  const names = new Set();
  for (let at = object; at !== null; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  return names;
}

module.exports = ParsedRecord;

// A session as it is at one moment, by which a change is seen.
"use strict";

const SAME = "same";
const OTHER = "other";
const UNSURE = "unsure";

/**
 * What JSON would hold of a session without its cookie, which changes with every request.
 *
 * Only values that can change from within are written as JSON; texts and numbers are kept as they are, so that a session
 * of 10 KB that nobody changed is compared without writing 10 KB.
 */
class Snapshot {
  #keys = [];
  /** A primitive as it is; the JSON of anything else. */
  #values = [];
  /** Whether a value is the JSON of something. */
  #isJson = [];
  /** Of a session that has its own way to become JSON. */
  #whole;

  constructor(session) {
    if (session.toJSON !== undefined) {
      this.#whole = JSON.stringify(session, withoutCookie(session));
      return;
    }
    for (const key of Object.keys(session)) {
      if (key === "cookie") continue;
      const value = session[key];
      const isJson = !isPrimitive(value);
      this.#keys.push(key);
      this.#values.push(isJson ? JSON.stringify(value) : value);
      this.#isJson.push(isJson);
    }
  }

  /** Whether the session is now, as JSON, what it was. */
  isOf(session) {
    const compared = this.#compare(session);
    return compared === UNSURE ? this.#json() === new Snapshot(session).#json() : compared === SAME;
  }

  /** Value by value, as far as that tells what JSON would. */
  #compare(session) {
    if (this.#whole !== undefined || session.toJSON !== undefined) return UNSURE;
    let at = 0;
    for (const key of Object.keys(session)) {
      if (key === "cookie") continue;
      if (this.#keys[at] !== key) return UNSURE;
      const [value, was] = [session[key], this.#values[at]];
      if (this.#isJson[at]) {
        if (isPrimitive(value)) return UNSURE;
        const json = JSON.stringify(value);
        if (json !== was) return json === undefined || was === undefined ? UNSURE : OTHER;
      } else if (!Object.is(value, was)) {
        return isPlain(value) && isPlain(was) && value !== was ? OTHER : UNSURE;
      }
      at++;
    }
    return at === this.#keys.length ? SAME : UNSURE;
  }

  /** Two that differ may still be the same JSON, as `NaN` and `null` are. */
  #json() {
    if (this.#whole !== undefined) return this.#whole;
    const members = [];
    this.#keys.forEach((key, at) => {
      const json = this.#isJson[at] ? this.#values[at] : JSON.stringify(this.#values[at]);
      if (json !== undefined) members.push(`${JSON.stringify(key)}:${json}`);
    });
    return `{${members}}`;
  }
}

function isPrimitive(value) {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "bigint");
}

/** Another one of these is other JSON. */
function isPlain(value) {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

function withoutCookie(session) {
  return function (key, value) {
    return this === session && key === "cookie" ? undefined : value;
  };
}

module.exports = Snapshot;

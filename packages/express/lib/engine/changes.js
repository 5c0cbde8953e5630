// What a request has done to the values on its session.
"use strict";

/**
 * The session's values as the engine has them: a primitive as it is, anything else as JSON, for it can change from
 * within.
 */
class Known {
  #values = new Map();

  /**
   * Takes over what the engine has now; the values that are new or different are handed to `changed`. What was written to
   * `session` meanwhile is newer than any of it, and stays a change.
   */
  adopt(data, session, changed, removed) {
    for (const name of this.#values.keys()) {
      if (Object.hasOwn(data, name)) continue;
      const isNewer = this.#isChanged(session, name);
      this.#values.delete(name);
      if (!isNewer) removed(name);
    }
    for (const name of Object.keys(data)) {
      const form = formOf(data[name], name);
      if (this.#values.has(name) && isSame(this.#values.get(name), form)) continue;
      const isNewer = this.#isChanged(session, name);
      this.#values.set(name, form);
      if (!isNewer) changed(name, data[name]);
    }
  }

  #isChanged(session, name) {
    // Not what it inherits: a value may have the name of something that every object has.
    if (!Object.hasOwn(session, name)) return this.#values.has(name);
    try {
      return !isSame(formOf(session[name], name), this.#values.get(name));
    } catch {
      // It never was JSON. Whoever writes it next is told.
      return true;
    }
  }

  /** What differs on `session` from what the engine has: names and JSON by turns, and names of what is gone. */
  changesOf(session) {
    const set = [];
    const removed = [];
    const values = new Map();
    for (const name of Object.keys(session)) {
      const form = formOf(session[name], name);
      // Nothing, to JSON: a function, or `undefined`.
      if (form === undefined) continue;
      values.set(name, form);
      if (this.#values.has(name) && isSame(this.#values.get(name), form)) continue;
      set.push(name, form instanceof Json ? form.text : JSON.stringify(form));
    }
    for (const name of this.#values.keys()) if (!values.has(name)) removed.push(name);
    return set.length === 0 && removed.length === 0 ? undefined : { set, removed, values };
  }

  /** The engine has taken these changes. */
  settle({ values }) {
    this.#values = values;
  }

  /** The engine has taken some of these changes, or none; `read` tells a value that it has as JSON. */
  settleAs({ set, removed }, read) {
    for (const name of [...set.filter((_, at) => at % 2 === 0), ...removed]) {
      const json = read(name);
      if (json == null) this.#values.delete(name);
      else this.#values.set(name, formOf(JSON.parse(json), name));
    }
  }
}

class Json {
  constructor(text) {
    this.text = text;
  }
}

function formOf(value, name) {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  const text = jsonOf(name, value);
  return text === undefined ? undefined : new Json(text);
}

/** A value as JSON: `undefined` for what is nothing to it. */
function jsonOf(name, value) {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new TypeError(`req.session.${name} does not become JSON: ${cause.message}`, { cause });
  }
}

function isSame(one, other) {
  return one instanceof Json && other instanceof Json ? one.text === other.text : Object.is(one, other);
}

module.exports = { Known, jsonOf };

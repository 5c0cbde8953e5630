// Those who change a session's values by what they were do so one after the other, within this process.
"use strict";

/** The lines of those who wait, each for one session. The first in a line is at work. */
class Turns {
  #lasts = new Map();

  /** Whether somebody is in line for the session. */
  isTaken(id) {
    return this.#lasts.has(id);
  }

  /** Waits in the session's line; what comes back leaves it. */
  async wait(id) {
    const before = this.#lasts.get(id);
    let leave;
    const left = new Promise((resolve) => {
      leave = resolve;
    });
    this.#lasts.set(id, left);
    await before;
    return () => {
      if (this.#lasts.get(id) === left) this.#lasts.delete(id);
      leave();
    };
  }
}

/** One request's turn, which it may do without. */
class Turn {
  #turns;
  #leave = () => {};
  #state = "wanted";

  constructor(turns) {
    this.#turns = turns;
  }

  /** A session that is not saved yet is nobody else's, and has no id. */
  async take(id) {
    if (this.#state !== "wanted" || id === undefined) return;
    this.#state = "taken";
    this.#leave = await this.#turns.wait(id);
  }

  async takeIfOthersDo(id) {
    if (this.#turns.isTaken(id)) await this.take(id);
  }

  /** Waits for a promise. If it is not settled at once, others are not to wait for it. */
  async during(promise) {
    const leaving = setImmediate(() => this.end());
    try {
      return await promise;
    } finally {
      clearImmediate(leaving);
    }
  }

  /** Leaves the line for good. */
  end() {
    this.#state = "ended";
    this.#leave();
  }
}

module.exports = { Turn, Turns };

// Lets nothing of a response out before the request's session is saved.
"use strict";

const { discard, holdHeaders } = require("../held-response");

const GUARDED = ["writeHead", "write", "end", "flushHeaders"];

/**
 * Whatever would send the response's head asks `commit` first, which gives `undefined` if the response may go, or a promise
 * of that. What comes later passes, until the end of the response asks `commitRest` in the same way.
 *
 * If one of them fails, `failed(error, { sent })` is to see to another response, for which the gate is open.
 */
module.exports = function gate(res, { commit, commitRest, failed }) {
  const through = Object.fromEntries(GUARDED.map((name) => [name, res[name]]));
  const pass = ([name, args]) => through[name].apply(res, args);

  let isCommitted = false;
  let hasEnded = false;
  /** The calls that wait while the session is saved. */
  let waiting;

  function enter(name, args) {
    if (waiting) {
      if (!hasEnded) waiting.push([name, args]);
      if (name === "end") hasEnded = true;
      return unsent(name);
    }
    if (hasEnded || (isCommitted && name !== "end")) return pass([name, args]);

    const sent = isCommitted;
    isCommitted = true;
    if (name === "end") hasEnded = true;
    let saving;
    try {
      saving = sent ? commitRest() : commit();
    } catch (error) {
      fail(error, sent);
      return unsent(name);
    }
    if (saving === undefined) return pass([name, args]);
    wait([name, args], saving, sent);
    return unsent(name);
  }

  /** What a call gives back that is not made yet. */
  const unsent = (name) => (name === "write" ? false : res);

  function wait(call, saving, sent) {
    waiting = [call];
    const release = holdHeaders(res);
    saving.then(
      () => {
        const calls = letGo(release);
        try {
          calls.forEach(pass);
        } catch (error) {
          failed(error, { sent: true });
          return;
        }
        // Whoever was told that a write has to wait waits for this.
        if (!res.writableNeedDrain && calls.some(([name]) => name === "write")) res.emit("drain");
      },
      (error) => {
        letGo(release);
        fail(error, sent);
      },
    );
  }

  function letGo(release) {
    release();
    const calls = waiting;
    waiting = undefined;
    return calls;
  }

  function fail(error, sent) {
    hasEnded = true;
    if (!sent) discard(res);
    failed(error, { sent });
  }

  for (const name of GUARDED) {
    res[name] = (...args) => enter(name, args);
  }
};

// Lets nothing of a response out before the request's session is saved.
"use strict";

const { discard, holdHead } = require("../held-response");

const GUARDED = ["writeHead", "write", "end", "flushHeaders"];

/**
 * Whatever would send the response's head asks `commit(status)` first, which gives `undefined` if the response may go, or a
 * promise of that. What comes later passes, until the end of the response asks `commitRest(status)` in the same way.
 *
 * If one of them fails, `failed(error)` is to see to another response, for which the gate is open.
 */
module.exports = function gate(res, { commit, commitRest, failed }) {
  const through = Object.fromEntries(GUARDED.map((name) => [name, res[name]]));
  const pass = ([name, args]) => through[name].apply(res, args);

  /** closed; saving, and back; open for the body; ended; failing, until another response may come, and replaced by that. */
  let state = "closed";
  /** The calls that wait while the session is saved. */
  let waiting;

  function enter(call) {
    const [name] = call;
    switch (state) {
      case "closed":
        if (name !== "flushHeaders") return save(call, commit);
        // Whoever listens for headers behind us hears of it now, and not when they are let go.
        res.writeHead(res.statusCode);
        return enter(call);
      case "open":
        return name === "end" ? save(call, commitRest) : pass(call);
      case "saving":
        if (!waiting.some(isEnd)) waiting.push(call);
        return unsent(name);
      case "failing":
        return drop(call);
      case "replaced":
        // A handler that does not know that it has failed may still be at it.
        return res.writableEnded ? drop(call) : pass(call);
      default:
        // Node would crash the process where sessions have always been lenient.
        return name === "end" && res.writableEnded ? drop(call) : pass(call);
    }
  }

  /** What a call gives back that is not made yet, or never. */
  const unsent = (name) => (name === "write" ? false : res);

  /** Whoever waits for what was written is told that it was not. */
  function drop([name, args], error = new Error("the response was replaced, for its session could not be saved")) {
    const callback = args.find((arg) => typeof arg === "function");
    if (name === "write" && callback) process.nextTick(callback, error);
    return unsent(name);
  }

  function save(call, ask) {
    const isSent = state === "open";
    const [name, [status]] = call;
    let saving;
    try {
      saving = ask(name === "writeHead" ? status : res.statusCode);
    } catch (error) {
      fail(error, [call], isSent);
      return unsent(name);
    }
    if (saving === undefined) return admit(call);
    wait(call, saving, isSent);
    return unsent(name);
  }

  function admit(call) {
    state = isEnd(call) ? "ended" : "open";
    return pass(call);
  }

  function wait(call, saving, isSent) {
    state = "saving";
    waiting = [call];
    const release = holdAllOfHead(res);
    const letGo = () => {
      release();
      const calls = waiting;
      waiting = undefined;
      return calls;
    };
    saving.then(
      () => goOn(letGo()),
      (error) => fail(error, letGo(), isSent),
    );
  }

  function goOn([first, ...rest]) {
    try {
      admit(first);
      rest.forEach(enter);
    } catch (error) {
      setImmediate(failed, error);
      return;
    }
    // Whoever was told that a write has to wait waits for this.
    if (state === "open" && !res.writableNeedDrain && [first, ...rest].some(([name]) => name === "write")) res.emit("drain");
  }

  function fail(error, calls, isSent) {
    state = "failing";
    if (!isSent) discard(res);
    for (const call of calls) drop(call, error);
    // The handler that is at work comes to its end first, for all that it says now is dropped.
    setImmediate(() => {
      state = "replaced";
      failed(error);
    });
  }

  for (const name of GUARDED) {
    res[name] = (...args) => enter([name, args]);
  }
};

const isEnd = ([name]) => name === "end";

/** `_implicitHeader` is how middlewares that compress send a head that looks unsent to them. */
function holdAllOfHead(res) {
  const release = holdHead(res);
  if (typeof res._implicitHeader !== "function") return release;
  res._implicitHeader = () => {};
  return () => {
    delete res._implicitHeader;
    release();
  };
}

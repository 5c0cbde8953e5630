// What went wrong with a session of the engine.
"use strict";

const native = require("../native");

/**
 * An error that a handler for errors can answer with: `status` is the response's, `text` is for the user, and `message`
 * is for the log. `headers` are what goes with the response.
 */
class SessionError extends Error {
  constructor({ message, code, status, text, retryAfter }) {
    super(message);
    this.code = code;
    this.status = this.statusCode = status;
    this.text = text;
    // Handlers that show messages only where they may are not to show this one.
    this.expose = false;
    this.headers = { "Cache-Control": "no-store" };
    if (retryAfter != null) {
      this.retryAfter = retryAfter;
      this.headers["Retry-After"] = String(retryAfter);
    }
  }
}

Object.defineProperty(SessionError.prototype, "name", { configurable: true, value: "SessionError", writable: true });

/** What the engine gave back, unless that is a failure: it is thrown then. */
exports.orThrow = function (outcome) {
  if (outcome instanceof native.Failure) throw new SessionError(outcome);
  return outcome;
};

exports.SessionError = SessionError;

// A response that waits until its session is saved, and goes out in one write.
"use strict";

const { hasStatusMessage } = require("./response-headers");

/** Of a response that was not sent: what describes a body, how long it may be kept, what to forget, and where to go. */
const OF_THE_DISCARDED = [
  "Accept-Ranges",
  "Cache-Control",
  "Clear-Site-Data",
  "Content-Disposition",
  "Content-Encoding",
  "Content-Language",
  "Content-Length",
  "Content-Range",
  "Content-Type",
  "ETag",
  "Expires",
  "Last-Modified",
  "Location",
  "Transfer-Encoding",
];

const headersAreSent = (verb) =>
  function () {
    const error = new Error(`Cannot ${verb} headers after they are sent to the client`);
    error.code = "ERR_HTTP_HEADERS_SENT";
    throw error;
  };

/** While it waits, the headers of a response are as those of one that has been sent. */
const HEADERS_GUARDED = {
  setHeader: headersAreSent("set"),
  appendHeader: headersAreSent("append"),
  removeHeader: headersAreSent("remove"),
};

/** One that has ended is so as a whole: whoever ends it twice must not change it. */
const ALL_GUARDED = {
  ...HEADERS_GUARDED,
  writeHead: headersAreSent("write"),
  flushHeaders() {},
  write: () => false,
};

/** Holds a response back; the result lets it go. */
function hold(res, guards) {
  if (res.headersSent) return () => {};

  const statusMessage = hasStatusMessage(res) ? res.statusMessage : undefined;
  const { statusCode } = res;
  const guarded = Object.fromEntries(Object.keys(guards).map((name) => [name, res[name]]));
  Object.assign(res, guards);
  Object.defineProperty(res, "headersSent", { configurable: true, enumerable: true, value: true });

  return function release() {
    delete res.headersSent;
    Object.assign(res, guarded);
    if (res.statusCode !== statusCode) res.statusCode = statusCode;
    if (hasStatusMessage(res) && res.statusMessage !== statusMessage) res.statusMessage = statusMessage;
  };
}

/** Makes room for another response in place of one that nobody has seen. */
function discard(res) {
  for (const name of OF_THE_DISCARDED) res.removeHeader(name);
  res.statusCode = 500;
  if (hasStatusMessage(res) && res.statusMessage) res.statusMessage = undefined;
}

/** Throws at once what `end` would throw when nobody is there any more to catch it. */
function checkBody(res, { write }, [chunk, encoding]) {
  if (chunk === null || chunk === undefined || typeof chunk === "function") return;
  if (typeof chunk === "string") {
    if (typeof encoding === "string" && !Buffer.isEncoding(encoding)) Buffer.from(chunk, encoding);
  } else if (!(chunk instanceof Uint8Array)) {
    write.call(res, chunk, encoding);
  }
}

/**
 * Ends a response when the store has answered.
 *
 * `callStore(done)` talks to the store; `willWait()` is called if it does not answer at once. If the store fails before
 * anything was sent, nothing is sent, and `failed(error)` is to see to another response.
 */
exports.endAfter = function (res, { end }, [chunk, encoding, callback], callStore, { willWait, failed }) {
  let answered = false;
  let waiting = false;
  let release = () => {};
  let result = res;

  function done(error) {
    if (answered) return;
    answered = true;
    release();
    if (error) {
      const sent = res.headersSent;
      fail(error, sent);
      if (!sent) return;
    }
    try {
      result = end.call(res, chunk, encoding, callback);
    } catch (cause) {
      if (!waiting) throw cause;
      fail(cause, res.headersSent);
    }
  }

  function fail(error, sent) {
    if (!sent) discard(res);
    failed(error, { sent });
  }

  try {
    callStore(done);
  } catch (error) {
    if (answered) throw error;
    done(error);
  }
  if (!answered) {
    waiting = true;
    try {
      willWait();
    } catch (error) {
      // Whoever is told of it answers, and not the store, too.
      answered = true;
      throw error;
    }
    release = hold(res, ALL_GUARDED);
  }
  return result;
};

/** Holds the head of a response back, and nothing else of it; the result lets it go. */
exports.holdHead = (res) => hold(res, { ...HEADERS_GUARDED, writeHead: headersAreSent("write") });
exports.checkBody = checkBody;
exports.discard = discard;

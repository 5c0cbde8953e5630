// Whether a request may go to its handler: the engine's check of where it comes from, and of its token.
"use strict";

const native = require("../native");
const { orThrow } = require("./session-error");

const HEADER = "x-csrf-token";
const FIELD = "_csrf";

/** Throws if the request may not go on. Reads a form as far as its token, and puts back what it has read. */
exports.admit = async function (visit, req) {
  const admission = orThrow(visit.admission());
  if (!(admission instanceof native.CsrfForm)) return;
  if (wasRead(req)) {
    orThrow(visit.verifyToken(tokenInBody(req)));
    return;
  }
  await readForm(admission, req);
  orThrow(visit.verifyForm(admission));
};

/** Throws unless the request has a token of its session as it is now. */
exports.requireToken = function (visit, req) {
  orThrow(visit.verifyCsrfToken(req.headers[HEADER] ?? tokenInBody(req)));
};

/** A parser of bodies that was before us has left nothing to read. */
const wasRead = (req) => req.body !== undefined && (req.readableEnded || req.complete) && req.readableLength === 0;

function tokenInBody({ body }) {
  const token = body && typeof body === "object" ? body[FIELD] : undefined;
  return typeof token === "string" ? token : undefined;
}

function readForm(form, req) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let isWanted = true;

    function readOn() {
      try {
        read();
      } catch (error) {
        fail(error);
      }
    }

    function read() {
      while (isWanted) {
        if (isAtEnd(req)) {
          form.end();
          finish();
          return;
        }
        if (req.destroyed) return fail(aborted(req.errored));
        const chunk = req.read();
        if (chunk === null) return;
        chunks.push(chunk);
        if (!form.needsMoreAfter(bytesOf(chunk, req))) finish();
      }
    }

    // Before the stream can tell of its end, which nothing can be put back after.
    function finish() {
      stop();
      const read = chunks.map((chunk) => bytesOf(chunk, req));
      if (read.length > 0) req.unshift(Buffer.concat(read));
      resolve();
    }

    function fail(error) {
      stop();
      reject(error);
    }

    function stop() {
      isWanted = false;
      for (const [event, listener] of Object.entries(listeners)) req.removeListener(event, listener);
    }

    const listeners = {
      readable: readOn,
      // Of a stream that is no server's: its end was not to be seen.
      end: () => fail(new Error("the form was read to its end and can't be put back; put the parser of bodies before the sessions")),
      error: (cause) => fail(aborted(cause)),
      close: () => fail(aborted()),
    };
    for (const [event, listener] of Object.entries(listeners)) req.on(event, listener);
    readOn();
  });
}

/** Whether all of the body has come, and was read. A request of HTTP/2 knows this of its stream alone. */
const isAtEnd = (req) => (req.complete || req.stream?.readableEnded === true) && req.readableLength === 0;

const aborted = (cause) => Object.assign(new Error("the request was broken off", { cause }), { status: 400, statusCode: 400 });

/** Whoever came before may have asked for text. */
const bytesOf = (chunk, req) => (typeof chunk === "string" ? Buffer.from(chunk, req.readableEncoding) : chunk);

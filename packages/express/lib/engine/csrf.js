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

    function read() {
      while (isWanting()) {
        const chunk = req.read();
        if (chunk === null) return;
        chunks.push(chunk);
        if (!form.needsMoreAfter(chunk)) finish();
      }
    }

    let isWanted = true;
    function isWanting() {
      if (isWanted && isAtEnd(req)) {
        form.end();
        finish();
      }
      return isWanted;
    }

    // Before the stream can tell of its end, which nothing can be put back after.
    function finish() {
      stop();
      if (chunks.length > 0) req.unshift(Buffer.concat(chunks));
      resolve();
    }

    function fail(error) {
      stop();
      reject(error ?? Object.assign(new Error("the request was aborted"), { status: 400, statusCode: 400 }));
    }

    function stop() {
      isWanted = false;
      req.removeListener("readable", read);
      req.removeListener("end", finish);
      req.removeListener("error", fail);
      req.removeListener("close", fail);
    }

    req.on("readable", read);
    req.on("end", finish);
    req.on("error", fail);
    req.on("close", fail);
    read();
  });
}

/** Whether all of the body has come, and was read. */
const isAtEnd = (req) => req.complete && req.readableLength === 0;

// What the engine has to know of a request.
"use strict";

const ALWAYS = ["cookie", "host", "origin", "sec-fetch-site", "upgrade", "user-agent", "x-csrf-token", "content-type"];

/** Takes the heads of requests; `forwarded` are the headers in which trusted proxies tell of the client. */
module.exports = function headTaker(forwarded) {
  const wanted = new Set([...ALWAYS, ...forwarded]);

  return function requestHead(req) {
    const headers = [];
    const { rawHeaders } = req;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      // A name is in the case in which it was sent.
      const name = rawHeaders[at].toLowerCase();
      if (wanted.has(name)) headers.push(name, rawHeaders[at + 1]);
    }
    return {
      method: req.method,
      // Express and connect take off the path that a router is mounted at.
      target: req.originalUrl || req.url,
      authority: req.headers[":authority"],
      headers,
      peer: req.socket.remoteAddress,
      encrypted: Boolean(req.socket.encrypted),
    };
  };
};

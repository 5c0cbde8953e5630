// Whether a request came over TLS.
"use strict";

/** `trustProxy`: true believes X-Forwarded-Proto, false nobody, and undefined Express. */
module.exports = function isSecure(req, trustProxy) {
  if (req.connection && req.connection.encrypted) return true;
  if (trustProxy === false) return false;
  if (trustProxy !== true) return req.secure === true;

  const header = req.headers["x-forwarded-proto"] || "";
  const comma = header.indexOf(",");
  const first = comma === -1 ? header : header.slice(0, comma);
  return first.toLowerCase().trim() === "https";
};

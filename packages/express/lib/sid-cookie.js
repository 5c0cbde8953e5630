// The cookie with the session id: read from a request, added to a response.
"use strict";

const cookie = require("cookie");
const debug = require("debug")("express-session");
const deprecate = require("depd")("express-session");

/** The session id that the request bears, if it is signed. */
exports.read = function (req, name, secrets) {
  const header = req.headers.cookie;
  let sid = header ? secrets.read(header) : undefined;

  // What a cookie parser before us took out of another place.
  if (!sid && req.signedCookies) {
    sid = req.signedCookies[name];
    if (sid) deprecate("cookie should be available in req.headers.cookie");
  }
  if (!sid && req.cookies) {
    const raw = req.cookies[name];
    if (raw) sid = fromParsedCookies(raw, secrets) ?? sid;
  }
  return sid;
};

function fromParsedCookies(raw, secrets) {
  if (raw.substr(0, 2) !== "s:") {
    debug("cookie unsigned");
    return undefined;
  }
  const sid = secrets.unsign(raw.slice(2));
  if (sid) {
    deprecate("cookie should be available in req.headers.cookie");
  } else if (sid === false) {
    debug("cookie signature invalid");
    return undefined;
  }
  return sid;
}

/** The Set-Cookie header for a session id. */
exports.format = function (name, sid, secrets, attributes) {
  return cookie.serialize(name, `s:${secrets.sign(sid)}`, attributes);
};

/** Adds a Set-Cookie header to those that are there. */
exports.append = function (res, header) {
  const there = res.getHeader("Set-Cookie") || [];
  res.setHeader("Set-Cookie", Array.isArray(there) ? there.concat(header) : [there, header]);
};

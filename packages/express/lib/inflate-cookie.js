// The cookie of a session as it was stored, with its methods.
"use strict";

const Cookie = require("./cookie");

module.exports = function inflateCookie(stored) {
  // Not destructured: for a record without a cookie that has another error message.
  const expires = stored.expires;
  const originalMaxAge = stored.originalMaxAge;

  const cookie = new Cookie(stored);
  if (typeof expires === "string") cookie.expires = new Date(expires);
  // Setting the end has changed it.
  cookie.originalMaxAge = originalMaxAge;
  return cookie;
};

// A cookie whose maximal age loses the milliseconds between two readings of the clock, as in express-session.
"use strict";

const Cookie = require("./cookie");

const { expires, maxAge } = Object.getOwnPropertyDescriptors(Cookie.prototype);

function DriftingCookie(options) {
  Cookie.call(this, options);
}

DriftingCookie.prototype = Object.create(Cookie.prototype, {
  // The same, so that whoever loops over a cookie finds the names in the same order.
  expires,
  maxAge: {
    ...maxAge,
    set(ms) {
      maxAge.set.call(this, ms);
      this.expires = this._expires;
    },
  },
});

/** Makes a cookie that a store has built one of these. */
DriftingCookie.from = function (cookie) {
  if (Object.getPrototypeOf(cookie) === Cookie.prototype) Object.setPrototypeOf(cookie, DriftingCookie.prototype);
};

module.exports = DriftingCookie;

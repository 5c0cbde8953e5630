// The cookie of a session: its attributes, and how long it lives.
"use strict";

const cookie = require("cookie");
const deprecate = require("depd")("express-session");

function Cookie(options) {
  this.path = "/";
  this.maxAge = null;
  this.httpOnly = true;

  if (options) {
    if (typeof options !== "object") {
      throw new TypeError("argument options must be a object");
    }
    for (const key in options) {
      if (key !== "data") this[key] = options[key];
    }
  }

  if (this.originalMaxAge === undefined || this.originalMaxAge === null) {
    this.originalMaxAge = this.maxAge;
  }
}

// A literal, because applications loop over cookies and find these names, too.
Cookie.prototype = {
  set expires(date) {
    this._expires = date;
    this.originalMaxAge = this.maxAge;
  },

  get expires() {
    return this._expires;
  },

  set maxAge(ms) {
    if (ms && typeof ms !== "number" && !(ms instanceof Date)) {
      throw new TypeError("maxAge must be a number or Date");
    }
    if (ms instanceof Date) {
      deprecate("maxAge as Date; pass number of milliseconds instead");
    }

    if (typeof ms === "number") {
      // Not what is left of it a moment later: that would shorten the session with every request.
      this._expires = new Date(Date.now() + ms);
      this.originalMaxAge = ms;
    } else {
      this.expires = ms;
    }
  },

  get maxAge() {
    return this.expires instanceof Date ? this.expires.valueOf() - Date.now() : this.expires;
  },

  get data() {
    return {
      originalMaxAge: this.originalMaxAge,
      partitioned: this.partitioned,
      priority: this.priority,
      expires: this._expires,
      secure: this.secure,
      httpOnly: this.httpOnly,
      domain: this.domain,
      path: this.path,
      sameSite: this.sameSite,
    };
  },

  serialize: function (name, val) {
    return cookie.serialize(name, val, this.data);
  },

  toJSON: function () {
    return this.data;
  },
};

module.exports = Cookie;

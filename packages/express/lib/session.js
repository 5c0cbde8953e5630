// A session as the application sees it: a plain object with a few methods that do not show.
"use strict";

const createSession = require("./create-session");

function Session(req, data) {
  Object.defineProperty(this, "req", { value: req });
  Object.defineProperty(this, "id", { value: req.sessionID });

  if (typeof data === "object" && data !== null) {
    for (const key in data) {
      // A stored key that is called like a method must not replace it.
      if (!(key in this)) this[key] = data[key];
    }
  }
}

const methods = {
  touch() {
    return this.resetMaxAge();
  },

  resetMaxAge() {
    this.cookie.maxAge = this.cookie.originalMaxAge;
    return this;
  },

  save(callback) {
    this.req.sessionStore.set(this.id, this, callback || function () {});
    return this;
  },

  reload(callback) {
    const req = this.req;
    const store = req.sessionStore;
    store.get(this.id, (error, data) => {
      if (error) return callback(error);
      if (!data) return callback(new Error("failed to load session"));
      createSession(store, req, data);
      callback();
    });
    return this;
  },

  destroy(callback) {
    delete this.req.session;
    this.req.sessionStore.destroy(this.id, callback);
    return this;
  },

  regenerate(callback) {
    this.req.sessionStore.regenerate(this.req, callback);
    return this;
  },
};

for (const name in methods) {
  Object.defineProperty(Session.prototype, name, {
    configurable: true,
    enumerable: false,
    value: methods[name],
    writable: true,
  });
}

module.exports = Session;

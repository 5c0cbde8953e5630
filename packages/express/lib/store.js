// What every store inherits from.
"use strict";

const { EventEmitter } = require("node:events");
const util = require("node:util");

const inflateCookie = require("./inflate-cookie");
const Session = require("./session");

// Not a class: stores call it as `Store.call(this)`.
function Store() {
  EventEmitter.call(this);
}

util.inherits(Store, EventEmitter);

Store.prototype.regenerate = function (req, callback) {
  this.destroy(req.sessionID, (error) => {
    this.generate(req);
    callback(error);
  });
};

Store.prototype.load = function (sid, callback) {
  this.get(sid, (error, data) => {
    if (error) return callback(error);
    if (!data) return callback();
    const req = { sessionID: sid, sessionStore: this };
    callback(null, this.createSession(req, data));
  });
};

Store.prototype.createSession = function (req, data) {
  data.cookie = inflateCookie(data.cookie);
  req.session = new Session(req, data);
  return req.session;
};

module.exports = Store;

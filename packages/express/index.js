"use strict";

const session = require("./lib/middleware");

exports = module.exports = session;

// In this form Node sees the names without running the file, which `import { Store }` needs.
exports.Store = require("./lib/store");
exports.Cookie = require("./lib/cookie");
exports.Session = require("./lib/session");
exports.MemoryStore = require("./lib/memory-store");

// The engine.
exports.SessionError = require("./lib/engine/session-error").SessionError;
exports.connect = require("./lib/engine/connect").connect;
exports.secretFrom = require("./lib/engine/connect").secretFrom;

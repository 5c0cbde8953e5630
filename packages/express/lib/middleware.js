// The middleware: its options, and what every request goes through.
"use strict";

const debug = require("debug")("express-session");
const deprecate = require("depd")("express-session");
const parseUrl = require("parseurl");

const Cookie = require("./cookie");
const CookieSecrets = require("./cookie-secrets");
const DriftingCookie = require("./drifting-cookie");
const { engineOptionIn } = require("./engine/options");
const MemoryStore = require("./memory-store");
const native = require("./native");
const isSecure = require("./secure-request");
const Session = require("./session");
const upstreamBehaviour = require("./upstream-behaviour");
const Visit = require("./visit");

const inProduction = process.env.NODE_ENV === "production";

const MEMORY_IN_PRODUCTION =
  "Warning: connect.session() MemoryStore is not\n" +
  "designed for a production environment, as it will leak\n" +
  "memory, and will not scale past a single process.";

module.exports = function session(options) {
  const opts = options || {};
  if (opts.store instanceof native.EngineStore) return require("./engine/sessions")(opts);
  refuseEngineOptions(opts);

  const cookieOptions = opts.cookie || {};
  const generateId = opts.genid || native.newSid;
  const store = opts.store || new MemoryStore();
  const secret = opts.secret && !Array.isArray(opts.secret) ? [opts.secret] : opts.secret;

  if (typeof generateId !== "function") {
    throw new TypeError("genid option must be a function");
  }
  if (opts.resave === undefined) {
    deprecate("undefined resave option; provide resave option");
  }
  if (opts.saveUninitialized === undefined) {
    deprecate("undefined saveUninitialized option; provide saveUninitialized option");
  }
  if (opts.unset && opts.unset !== "destroy" && opts.unset !== "keep") {
    throw new TypeError('unset option must be "destroy" or "keep"');
  }
  if (Array.isArray(secret) && secret.length === 0) {
    throw new TypeError("secret option array must contain one or more strings");
  }
  if (!secret) {
    deprecate("req.secret; provide secret option");
  }
  if (inProduction && store instanceof MemoryStore) {
    console.warn(MEMORY_IN_PRODUCTION);
  }

  const settings = {
    name: opts.name || opts.key || "connect.sid",
    resave: opts.resave === undefined || opts.resave,
    rolling: Boolean(opts.rolling),
    saveUninitialized: opts.saveUninitialized === undefined || opts.saveUninitialized,
    store,
    storeTouches: typeof store.touch === "function",
    trustProxy: opts.proxy,
    unsetDestroy: opts.unset === "destroy",
    upstream: upstreamBehaviour(opts.upstream),
  };
  const { upstream } = settings;

  const cookieOptionsFor = (req) => (typeof cookieOptions === "function" ? cookieOptions(req) : cookieOptions);
  /** What the request at hand was told by `cookieOptionsFor`, while its first session is made. */
  let toldOptions;

  store.generate = function (req) {
    const told = toldOptions ?? cookieOptionsFor(req);
    req.sessionID = generateId(req);
    req.session = new Session(req);
    req.session.cookie = upstream.driftingMaxAge ? new DriftingCookie(told) : new Cookie(told);

    const auto = upstream.cookieFunction ? cookieOptions : told;
    const secure = isSecure(req, settings.trustProxy);
    if (auto.secure === "auto") req.session.cookie.secure = secure;
    if (auto.sameSite === "auto") req.session.cookie.sameSite = secure ? "none" : "lax";
  };

  let storeReady = true;
  store.on("disconnect", () => {
    storeReady = false;
  });
  store.on("connect", () => {
    storeReady = true;
  });

  let knownSecrets;
  function cookieSecrets(secrets) {
    if (!knownSecrets?.are(secrets)) knownSecrets = new CookieSecrets(settings.name, secrets);
    return knownSecrets;
  }

  return function session(req, res, next) {
    if (req.session) {
      next();
      return;
    }
    if (!storeReady && upstream.ignoreDisconnect) {
      debug("store is disconnected");
      next();
      return;
    }

    const path = parseUrl.original(req).pathname || "/";
    const told = cookieOptionsFor(req);
    if (path.indexOf(told.path || "/") !== 0) {
      debug("pathname mismatch");
      next();
      return;
    }
    if (!storeReady) {
      next(storeDisconnected());
      return;
    }
    if (!secret && !req.secret) {
      next(new Error("secret option required for sessions"));
      return;
    }

    new Visit(settings, cookieSecrets(secret || [req.secret]), req, res, next).begin((req) => {
      toldOptions = upstream.cookieFunction ? undefined : told;
      try {
        store.generate(req);
      } finally {
        toldOptions = undefined;
      }
    });
  };
};

/** They would be ignored, and the application believe itself protected. */
function refuseEngineOptions(opts) {
  if (typeof opts.store?.then === "function") {
    throw new TypeError("the option store is a promise: store: await tenure.connect(url)");
  }
  const name = engineOptionIn(opts);
  if (name === undefined) return;
  throw new TypeError(`the option ${name} is the engine's, which needs a store of its own: store: await tenure.connect(url)`);
}

function storeDisconnected() {
  const error = new Error("the session store is disconnected; nobody's session can be loaded until it is back");
  return Object.assign(error, { code: "ESTOREDISCONNECTED", status: 503, statusCode: 503 });
}

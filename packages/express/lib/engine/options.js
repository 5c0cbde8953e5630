// The engine's options: checked for their types, and put into the form in which the addon takes them.
"use strict";

const TIMES = [
  "idleTimeout",
  "absoluteTimeout",
  "rememberedIdleTimeout",
  "rememberedAbsoluteTimeout",
  "touchInterval",
  "renewalGrace",
  "storeDeadline",
];
/** Times that `null` turns off. */
const INTERVALS = ["renewEvery", "sweepInterval"];
const TEXTS = ["preset", "originCheck", "csrfTokens"];
const LISTS = ["trustedOrigins", "csrfExemptPaths"];
const SWITCHES = ["recordClientAddress", "sealed"];
const COOKIE_TEXTS = ["name", "path", "domain", "sameSite", "lifetime"];
const COOKIE_SWITCHES = ["secure", "httpOnly", "partitioned"];
const OTHERS = [
  "store",
  "secret",
  "environment",
  "cookie",
  "maxDataBytes",
  "sessionLimit",
  "guessLimit",
  "trustProxy",
  "onEvent",
  "passive",
];

const KNOWN = new Set([...TIMES, ...INTERVALS, ...TEXTS, ...LISTS, ...SWITCHES, ...OTHERS]);
/** What the drop-in has, too. */
const SHARED = new Set(["store", "secret", "cookie"]);

const wrong = (name, expected) => new TypeError(`the option ${name} is ${expected}`);

function isMillis(value) {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

const time = (name, value) => {
  if (!isMillis(value)) throw wrong(name, "a time in milliseconds: a number, not negative");
  return value;
};

const interval = (name, value) => (value === null ? 0 : time(name, value));

const text = (name, value) => {
  if (typeof value !== "string") throw wrong(name, "a string");
  return value;
};

const list = (name, value) => {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) throw wrong(name, "an array of strings");
  return value;
};

const toggle = (name, value) => {
  if (typeof value !== "boolean") throw wrong(name, "true or false");
  return value;
};

const count = (name, value) => {
  if (!Number.isSafeInteger(value) || value < 0 || value > 0xffffffff) throw wrong(name, "a whole number, not negative");
  return value;
};

function refuseUnknown(given, known, where) {
  for (const name of Object.keys(given)) {
    if (!known.has(name)) throw new TypeError(`there is no option ${where}${name}; it knows ${[...known].sort().join(", ")}`);
  }
}

function refuseNoObject(name, value) {
  if (typeof value !== "object" || value === null) throw wrong(name, "an object");
}

function take(into, given, names, check, where = "") {
  for (const name of names) {
    if (given[name] !== undefined) into[name] = check(where + name, given[name]);
  }
}

function cookie(given) {
  refuseNoObject("cookie", given);
  refuseUnknown(given, new Set([...COOKIE_TEXTS, ...COOKIE_SWITCHES]), "cookie.");
  const taken = {};
  take(taken, given, COOKIE_TEXTS, text, "cookie.");
  take(taken, given, COOKIE_SWITCHES, toggle, "cookie.");
  return taken;
}

function sessionLimit(given) {
  refuseNoObject("sessionLimit", given);
  refuseUnknown(given, new Set(["most", "whenReached"]), "sessionLimit.");
  const { most, whenReached = "evict-oldest" } = given;
  if (whenReached !== "evict-oldest" && whenReached !== "refuse-newest") {
    throw wrong("sessionLimit.whenReached", '"evict-oldest" or "refuse-newest"');
  }
  return { most: count("sessionLimit.most", most), refuseNewest: whenReached === "refuse-newest" };
}

function guessLimit(given) {
  if (given === "unlimited") return {};
  if (typeof given !== "object" || given === null) throw wrong("guessLimit", '{ refused, unknown }, or "unlimited"');
  refuseUnknown(given, new Set(["refused", "unknown"]), "guessLimit.");
  return { refused: count("guessLimit.refused", given.refused), unknown: count("guessLimit.unknown", given.unknown) };
}

function trustProxy(given) {
  if (typeof given === "number") return { hops: count("trustProxy", given), forwarded: false };
  if (Array.isArray(given)) return { networks: list("trustProxy", given), forwarded: false };
  if (typeof given !== "object" || given === null) {
    throw wrong("trustProxy", "a number of proxies, an array of their networks, or { hops or networks, headers }");
  }
  refuseUnknown(given, new Set(["hops", "networks", "headers"]), "trustProxy.");
  const { headers = "x-forwarded" } = given;
  if (headers !== "x-forwarded" && headers !== "forwarded") throw wrong("trustProxy.headers", '"x-forwarded" or "forwarded"');
  const taken = { forwarded: headers === "forwarded" };
  take(taken, given, ["hops"], count, "trustProxy.");
  take(taken, given, ["networks"], list, "trustProxy.");
  return taken;
}

/** Whatever is not said to be a developer's machine has real users. */
function isDevelopment(environment = process.env.NODE_ENV) {
  return environment === "development" || environment === "test";
}

/** The options as the addon takes them. */
exports.policyOf = function (options) {
  refuseUnknown(options, KNOWN, "");
  const { environment } = options;
  if (environment !== undefined && environment !== "production" && environment !== "development") {
    throw wrong("environment", '"production" or "development"');
  }
  const taken = { development: isDevelopment(environment), cookie: cookie(options.cookie === undefined ? {} : options.cookie) };
  take(taken, options, TIMES, time);
  take(taken, options, INTERVALS, interval);
  take(taken, options, TEXTS, text);
  take(taken, options, LISTS, list);
  take(taken, options, SWITCHES, toggle);
  take(taken, options, ["maxDataBytes"], count);
  take(taken, options, ["sessionLimit"], (_, value) => sessionLimit(value));
  take(taken, options, ["guessLimit"], (_, value) => guessLimit(value));
  take(taken, options, ["trustProxy"], (_, value) => trustProxy(value));
  return taken;
};

/** The functions among the options. */
exports.functionsOf = function ({ onEvent, passive = () => false }) {
  for (const [name, value] of Object.entries({ onEvent, passive })) {
    if (value !== undefined && typeof value !== "function") throw wrong(name, "a function");
  }
  return { onEvent, passive };
};

/** The secrets as bytes, the current one first. */
exports.secretsOf = function (secret) {
  const secrets = Array.isArray(secret) ? secret : [secret];
  return secrets.map((secret) => {
    if (typeof secret === "string") return Buffer.from(secret);
    if (secret instanceof Uint8Array) return Buffer.from(secret);
    throw wrong("secret", "a string or a Buffer, an array of them, or what tenure.secretFrom gives");
  });
};

/** An option of the engine's among those of a store that is not. */
exports.engineOptionIn = (options) => Object.keys(options).find((name) => KNOWN.has(name) && !SHARED.has(name));

// Stores and secrets by their URLs.
"use strict";

const native = require("../native");

const MILLIS = ["longestLifetime", "refreshEvery", "propagationDelay"];

exports.connect = async function (url) {
  if (typeof url !== "string") throw new TypeError('connect takes the URL of a store, such as "redis://localhost"');
  return native.connectStore(url);
};

exports.secretFrom = async function (url, options = {}) {
  if (typeof url !== "string") throw new TypeError('secretFrom takes the URL of a place for secrets, such as "env:SESSION_SECRET"');
  for (const [name, value] of Object.entries(options)) {
    if (!MILLIS.includes(name)) throw new TypeError(`there is no option ${name}; secretFrom knows ${MILLIS.join(", ")}`);
    if (!Number.isFinite(value) || value < 0) throw new TypeError(`the option ${name} is a time in milliseconds: a number, not negative`);
  }
  const followed = await native.followSecrets(url, options);
  const status = () => {
    const { lastSuccessAt, failing, ...rest } = native.FollowedSecrets.prototype.status.call(followed);
    return { ...rest, lastSuccessAt: new Date(lastSuccessAt), failing: failing ?? undefined };
  };
  return Object.defineProperty(followed, "status", { value: status });
};

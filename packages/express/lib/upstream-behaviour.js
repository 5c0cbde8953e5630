// Where express-session 1.19 only hurts, this package differs. Each difference has a name, by which the option
// `upstream` brings the old behaviour back.
"use strict";

const NAMES = ["respond-before-save", "cookie-function", "drifting-max-age", "ignore-disconnect"];

/** Reads the option: `true` for all of them, or an array of names. */
module.exports = function upstreamBehaviour(option = []) {
  if (option !== true && option !== false && !Array.isArray(option)) {
    throw new TypeError(`upstream option must be true or an array of ${NAMES.join(", ")}`);
  }
  const wanted = option === true ? NAMES : option || [];
  const unknown = wanted.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`upstream option knows no "${unknown}"; it knows ${NAMES.join(", ")}`);
  }
  return {
    respondBeforeSave: wanted.includes("respond-before-save"),
    cookieFunction: wanted.includes("cookie-function"),
    driftingMaxAge: wanted.includes("drifting-max-age"),
    ignoreDisconnect: wanted.includes("ignore-disconnect"),
  };
};

// A session as text, by which a change is seen.
"use strict";

/**
 * The JSON of a session without its cookie, which changes with every request.
 *
 * Compared as it is: hashing it would cost more than it saves.
 */
module.exports = function sessionJson(session) {
  const own = Object.getOwnPropertyDescriptor(session, "cookie");
  if (!own?.writable || session.toJSON !== undefined) return withReplacer(session);

  // `undefined` is left out of JSON, and a replacer function would double the time.
  session.cookie = undefined;
  try {
    return JSON.stringify(session);
  } finally {
    session.cookie = own.value;
  }
};

function withReplacer(session) {
  return JSON.stringify(session, function (key, value) {
    return this === session && key === "cookie" ? undefined : value;
  });
}

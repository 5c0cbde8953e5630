// How one who knows the secret makes cookies of what was stolen, in each library's way. `remade` is a genuine cookie, taken apart
// and made anew: it is accepted, or the forger does not know the library's way.
"use strict";

const { createHmac, hkdfSync } = require("node:crypto");

/** For express-session and what takes its place: `s:`, and the id under which the store has the session, signed. */
function sidForger(secret) {
  return signedForger((text) => encodeURIComponent(`s:${signed(text, secret)}`), (cookie) => decodeURIComponent(cookie).slice(2));
}

/** The same without `s:`. */
function fastifyForger(secret) {
  return signedForger((text) => encodeURIComponent(signed(text, secret)), decodeURIComponent);
}

function signedForger(make, decode) {
  return (genuine, dump) => {
    const text = decode(genuine);
    return { remade: make(text.slice(0, text.lastIndexOf("."))), forged: dump.map(make) };
  };
}

const signed = (text, secret) => `${text}.${createHmac("sha256", secret).update(text).digest("base64").replace(/=+$/, "")}`;

/** All is in the cookie, so that nothing has to be stolen. */
function ironForger(password) {
  const { sealData, unsealData } = require("iron-session");
  return async (genuine) => ({
    remade: await sealData(await unsealData(decodeURIComponent(genuine), { password }), { password }),
    forged: [await sealData({ user: "ada" }, { password })],
  });
}

const HEAD_LENGTH = 1 + 4 + 16 + 4;
const SECRET_LENGTH = 32;
const TAG_LENGTH = 16;

/**
 * Whatever stands in the store and is as long as a browser's secret, in the place of that, and a genuine tag. The head of a
 * cookie is no secret: the store has it, too.
 */
function tenureForger(secret) {
  const key = hkdfSync("sha256", secret, "tenure 1", "cookie", 32);
  const make = (head, part) => {
    const tag = createHmac("sha256", Buffer.from(key)).update("__Host-session").update(head).update(part).digest();
    return Buffer.concat([head, part, tag.subarray(0, TAG_LENGTH)]).toString("base64url");
  };
  return (genuine, dump) => {
    const bytes = Buffer.from(genuine, "base64url");
    const head = bytes.subarray(0, HEAD_LENGTH);
    return {
      remade: make(head, bytes.subarray(HEAD_LENGTH, HEAD_LENGTH + SECRET_LENGTH)),
      forged: runsIn(dump).map((run) => make(head, run)),
    };
  };
}

/** As they stand there, and decoded. */
function runsIn(dump) {
  const runs = new Set();
  for (const text of dump) {
    for (const encoding of ["latin1", "base64url", "hex"]) {
      const bytes = Buffer.from(text, encoding);
      for (let at = 0; at + SECRET_LENGTH <= bytes.length; at++) runs.add(bytes.toString("hex", at, at + SECRET_LENGTH));
    }
  }
  return [...runs].map((run) => Buffer.from(run, "hex"));
}

module.exports = { fastifyForger, ironForger, sidForger, tenureForger };

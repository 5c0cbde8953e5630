// The Cookie headers that browsers and others send.
"use strict";

const signature = require("cookie-signature");

const wire = (sid, secret) => encodeURIComponent(`s:${signature.sign(sid, secret)}`);

/** What a scenario calls it, as a header. `known` is a session that the recording store has from the start. */
exports.cookieHeader = function (state, settings, jar) {
  const name = settings.name ?? settings.key ?? "connect.sid";
  const secrets = [settings.secret ?? "keyboard cat"].flat();
  const known = wire("known", secrets[0]);
  const headers = {
    none: undefined,
    jar: jar === undefined ? undefined : `${name}=${jar}`,
    known: `${name}=${known}`,
    older: `${name}=${wire("known", secrets.at(-1))}`,
    unknown: `${name}=${wire("nobody", secrets[0])}`,
    ended: `${name}=${wire("ended", secrets[0])}`,
    "cookie-less record": `${name}=${wire("no-cookie", secrets[0])}`,
    "named like methods": `${name}=${wire("methods", secrets[0])}`,
    forged: `${name}=${wire("known", "another secret")}`,
    tampered: `${name}=${known.replace("known", "knows")}`,
    "no signature": `${name}=s%3Aknown`,
    "empty signature": `${name}=s%3Aknown.`,
    "padded signature": `${name}=${known}%3D`,
    unsigned: `${name}=known`,
    empty: `${name}=`,
    "empty id": `${name}=${wire("", secrets[0])}`,
    quoted: `a=1; ${name}="${known}"; b=2`,
    unescaped: `${name}=${decodeURIComponent(known)}`,
    "broken escape": `${name}=%E0%A4%A; x=y`,
    "forged first": `${name}=s%3Ax.y; ${name}=${known}`,
    "known first": `${name}=${known}; ${name}=s%3Ax.y`,
    spaces: `  ${name}  =  ${known}  ;other`,
    "among others": `theme=dark; xconnect.sid=1; ${name}=${known}; lang=en`,
    "another name": `other.sid=${known}`,
    garbage: ";;=;=a;\"=\";%%%",
  };
  if (!(state in headers) && state !== undefined) throw new Error(`no such cookie: ${state}`);
  return headers[state ?? "none"];
};

exports.STATES = [
  "none", "jar", "known", "older", "unknown", "ended", "forged", "tampered", "no signature", "empty signature",
  "padded signature", "unsigned", "empty", "empty id", "quoted", "unescaped", "broken escape", "forged first",
  "known first", "spaces", "among others", "another name", "garbage",
];
exports.wire = wire;

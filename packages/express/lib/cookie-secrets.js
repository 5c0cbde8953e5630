// The application's secrets, handed to the addon once and not with every request.
"use strict";

const crypto = require("node:crypto");
const cookie = require("cookie");

const native = require("./native");

class CookieSecrets {
  #name;
  #secrets;
  #native;
  /** Why the first unfit secret is unfit. It is told when a cookie needs that secret. */
  #unfit;
  #signs;

  constructor(name, secrets) {
    this.#name = name;
    this.#secrets = [...secrets];
    const keys = [];
    try {
      for (const secret of this.#secrets) keys.push(keyBytes(secret));
    } catch (error) {
      this.#unfit = error;
    }
    this.#signs = keys.length > 0;
    if (this.#signs) this.#native = new native.CookieSecrets(name, keys[0], keys.slice(1));
  }

  /** Whether these are still the secrets: applications rotate them by changing the array that they gave. */
  are(secrets) {
    return secrets.length === this.#secrets.length && secrets.every((secret, at) => secret === this.#secrets[at]);
  }

  /** The session id in a `Cookie` header, if one of the secrets signed it. */
  read(header) {
    const sid = this.#native?.read(header) ?? undefined;
    if (sid === undefined && this.#unfit && cookie.parse(header)[this.#name]?.startsWith("s:")) throw this.#unfit;
    return sid;
  }

  /** What was signed, or false. */
  unsign(signed) {
    const value = this.#native?.unsign(signed) ?? undefined;
    if (value === undefined && this.#unfit) throw this.#unfit;
    return value ?? false;
  }

  sign(value) {
    if (!this.#signs) throw this.#unfit;
    return this.#native.sign(value);
  }
}

/** What `crypto.createHmac` would take the key to be; it throws where that would. */
function keyBytes(secret) {
  if (secret === null || secret === undefined) throw new TypeError("Secret key must be provided.");
  crypto.createHmac("sha256", secret);
  if (typeof secret === "string") return Buffer.from(secret);
  if (ArrayBuffer.isView(secret)) return Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength);
  if (secret instanceof crypto.KeyObject) return secret.export();
  if (secret instanceof crypto.webcrypto.CryptoKey) return crypto.KeyObject.from(secret).export();
  return Buffer.from(secret);
}

module.exports = CookieSecrets;

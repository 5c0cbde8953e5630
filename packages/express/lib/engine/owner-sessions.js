// All the sessions of one user: for account pages and operators.
"use strict";

const { orThrow } = require("./session-error");
const { timesOf } = require("./times");
const { visitOf } = require("./visit");

class OwnerSessions {
  #manager;
  #owner;

  constructor(manager, owner) {
    this.#manager = manager;
    this.#owner = owner;
  }

  async list(current) {
    const listed = orThrow(await this.#manager.list(this.#owner, current && visitOfCurrent(current)));
    return listed.map((session) => ({ ...session, ...timesOf(session) }));
  }

  async revoke(id) {
    return orThrow(await this.#manager.revokeOfOwner(this.#owner, String(id)));
  }

  async revokeAll() {
    return orThrow(await this.#manager.revokeAllBut(this.#owner, null));
  }

  async revokeOthers(current) {
    return orThrow(await this.#manager.revokeAllBut(this.#owner, visitOfCurrent(current)));
  }
}

// Without this check, one who passes nothing by mistake would end the very session that is to stay.
function visitOfCurrent(session) {
  const visit = visitOf(session);
  if (!visit) throw new TypeError("this takes the session that is to count as the current one: req.session");
  return visit;
}

module.exports = OwnerSessions;

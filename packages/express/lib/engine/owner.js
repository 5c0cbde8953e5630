// Whose session it is.
"use strict";

/** The owner as the engine has it. An `undefined` that became text would be a user of its own. */
exports.ownerOf = function (owner) {
  if (typeof owner === "string") return owner;
  if (Number.isSafeInteger(owner) || typeof owner === "bigint") return String(owner);
  throw new TypeError("the owner is the id of the user who has just proved who they are: a string or a whole number");
};

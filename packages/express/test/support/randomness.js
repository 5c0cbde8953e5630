// Chance that is the same in every run.
"use strict";

/** mulberry32. What comes back draws numbers, choices and text; text has what is special in cookies and JSON more often. */
exports.randomness = function (seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(next() * limit);
  const pick = (from) => from[below(from.length)];
  const character = () => (below(3) ? pick('=;,"%.:+/ \\s3A\t') : String.fromCharCode(below(256)));
  const text = (limit) => Array.from({ length: below(limit + 1) }, character).join("");
  return { next, below, pick, text };
};

// Finds the addon: the one built here, or the platform's package.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const built = path.join(__dirname, "..", "native", "tenure.node");

function platform() {
  if (process.platform !== "linux") return `${process.platform}-${process.arch}`;
  const { glibcVersionRuntime } = process.report.getReport().header;
  return `linux-${process.arch}-${glibcVersionRuntime ? "gnu" : "musl"}`;
}

function load() {
  if (fs.existsSync(built)) return require(built);
  const name = `tenure-express-${platform()}`;
  try {
    return require(name);
  } catch (cause) {
    throw new Error(
      `tenure-express needs its native part, the package ${name}. Install again without --omit=optional, ` +
        "or, where no such package exists, build it from the sources with `node build.js`.",
      { cause },
    );
  }
}

module.exports = load();

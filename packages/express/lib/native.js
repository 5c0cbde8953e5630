// Finds the addon: in a checkout the one built there, else the platform's package.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { PLATFORMS, platform } = require("./platform");

const built = path.join(__dirname, "..", "native", "tenure.node");

const FROM_SOURCES = "build it from the sources: run `node build.js` in packages/express of a checkout, and install that folder";

function load() {
  if (fs.existsSync(built)) return require(built);
  const name = `tenure-express-${platform()}`;
  try {
    return require(name);
  } catch (cause) {
    throw new Error(whatToDo(name, cause), { cause });
  }
}

function whatToDo(name, cause) {
  if (!PLATFORMS.includes(platform())) return `tenure-express has no build for ${platform()}; ${FROM_SOURCES}.`;
  if (cause.code !== "MODULE_NOT_FOUND") {
    return `tenure-express found its native part, the package ${name}, which this system cannot load; ${FROM_SOURCES}.`;
  }
  return (
    `tenure-express needs its native part, the package ${name}. Install again on this platform, without --omit=optional. ` +
    "If it stays away, remove node_modules and the lock file first, which may be those of another platform."
  );
}

// What is loaded outlives this module: Node cannot unload an addon, and loading one again, as a `delete require.cache[…]`
// makes us, leaves 4 KB behind each time.
const loaded = (process[Symbol.for("tenure-express.addons")] ??= new Map());
if (!loaded.has(__dirname)) loaded.set(__dirname, load());

module.exports = loaded.get(__dirname);

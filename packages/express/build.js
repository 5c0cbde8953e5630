// Builds the addon with cargo and puts it where lib/native.js looks.
//
// --dev            quicker to build, and slower to run; with TENURE_BUILD=workspace as a part of the whole workspace and its
//                  tests, so that where those are compiled, too, no dependency is compiled again with fewer features
// --platform       puts it into the platform's package instead, npm/<platform>, with the licences
// --out <folder>   where a copy of that package is, if not there
"use strict";

const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

const licences = require("./licences");
const { platform } = require("./lib/platform");

const { values: options } = parseArgs({
  options: { dev: { type: "boolean" }, platform: { type: "boolean" }, out: { type: "string" } },
});

const alone = ["--package", "tenure-node", ...(options.dev ? [] : ["--release"])];
const whole = ["--workspace", "--all-features", "--all-targets"];
const selected = options.dev && process.env.TENURE_BUILD === "workspace" ? whole : alone;
const cargo = spawnSync(
  "cargo",
  ["build", ...selected, "--locked", "--message-format=json-render-diagnostics"],
  { cwd: __dirname, encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "inherit"] },
);
if (cargo.error) throw cargo.error;
if (cargo.status !== 0) process.exit(cargo.status ?? 1);

const library = cargo.stdout
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line))
  .filter(({ reason, target }) => reason === "compiler-artifact" && target.name === "tenure_node")
  .flatMap(({ filenames }) => filenames)
  .find((file) => /\.(so|dylib|dll)$/.test(file));

const folder = options.platform ? platformPackage() : path.join(__dirname, "native");
fs.mkdirSync(folder, { recursive: true });
// A process that has the old one loaded keeps it: a new file takes its name.
const building = path.join(folder, `tenure.${process.pid}.node`);
fs.copyFileSync(library, building);
fs.renameSync(building, path.join(folder, "tenure.node"));

function platformPackage() {
  const folder = options.out ?? path.join(__dirname, "npm", platform());
  if (!fs.existsSync(path.join(folder, "package.json"))) {
    throw new Error(`${folder} is no package: a new platform needs a folder in npm, and its name in lib/platform.js`);
  }
  licences.copyInto(folder);
  return folder;
}

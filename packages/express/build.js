// Builds the addon with cargo and puts it where lib/native.js looks. `node build.js --dev` is quicker to build and slower to run.
"use strict";

const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const profile = process.argv.includes("--dev") ? [] : ["--release"];
const cargo = spawnSync(
  "cargo",
  ["build", "--package", "tenure-node", "--locked", "--message-format=json-render-diagnostics", ...profile],
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

const native = path.join(__dirname, "native");
fs.mkdirSync(native, { recursive: true });
// A process that has the old one loaded keeps it: a new file takes its name.
const building = path.join(native, `tenure.${process.pid}.node`);
fs.copyFileSync(library, building);
fs.renameSync(building, path.join(native, "tenure.node"));

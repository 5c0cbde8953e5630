// Makes the folder that is published as tenure-express: `node stage.js [new folder]`, by default ./stage, made anew.
//
// The platforms' packages become dependencies here, and not in package.json itself: a checkout builds its own addon, and
// could not be installed while a version is not yet published.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const licences = require("./licences");
const { PLATFORMS } = require("./lib/platform");

const STAGE = path.join(__dirname, "stage");
const folder = path.resolve(process.argv[2] ?? STAGE);
const { private: _, scripts, devDependencies, ...manifest } = require("./package.json");

manifest.optionalDependencies = Object.fromEntries(PLATFORMS.map((platform) => [platformPackage(platform), manifest.version]));

if (folder === STAGE) fs.rmSync(STAGE, { recursive: true, force: true });
fs.mkdirSync(folder, { recursive: true });
for (const name of ["README.md", ...manifest.files.filter((name) => !name.startsWith("LICENSE"))]) {
  fs.cpSync(path.join(__dirname, name), path.join(folder, name), { recursive: true });
}
licences.copyInto(folder);
fs.writeFileSync(path.join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);

function platformPackage(platform) {
  const { name, version } = require(`./npm/${platform}/package.json`);
  // One made for another version may lack what this one calls.
  if (version !== manifest.version) {
    throw new Error(`npm/${platform}/package.json has version ${version}, and package.json ${manifest.version}: make them one`);
  }
  return name;
}

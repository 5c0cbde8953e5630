// The licences, which each published package holds.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const REPOSITORY = path.join(__dirname, "..", "..");

exports.copyInto = function (folder) {
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    fs.copyFileSync(path.join(REPOSITORY, name), path.join(folder, name));
  }
};

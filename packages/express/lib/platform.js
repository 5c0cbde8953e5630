// The name of the platform this runs on, and those there are builds for.
"use strict";

/** Each has a package `tenure-express-<name>`, which is made of the folder npm/<name>. */
const PLATFORMS = [
  "darwin-arm64",
  "darwin-x64",
  "linux-arm64-gnu",
  "linux-arm64-musl",
  "linux-x64-gnu",
  "linux-x64-musl",
  "win32-x64-msvc",
];

function platform() {
  const name = `${process.platform}-${process.arch}`;
  if (process.platform === "win32") return `${name}-msvc`;
  if (process.platform !== "linux") return name;
  const { glibcVersionRuntime } = process.report.getReport().header;
  return `${name}-${glibcVersionRuntime ? "gnu" : "musl"}`;
}

module.exports = { PLATFORMS, platform };

// A program of a test's, in a process of its own.
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const path = require("node:path");
const { once } = require("node:events");

const PACKAGE = path.join(__dirname, "../..");
const TIME_LIMIT = 60_000;

exports.PACKAGE = PACKAGE;

/**
 * Runs a program in the package's folder until it ends by itself, without a word of complaint, and gives what it prints as
 * JSON. `signal` is sent to it once it has printed something.
 */
exports.run = async function (source, { env = {}, flags = [], type = "commonjs", signal } = {}) {
  const child = spawn(process.execPath, [...flags, `--input-type=${type}`, "--eval", source], {
    cwd: PACKAGE,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIME_LIMIT,
    killSignal: "SIGKILL",
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
    if (signal) child.kill(signal);
  });
  child.stderr.on("data", (chunk) => (err += chunk));
  const [code, killed] = await once(child, "close");
  assert.deepEqual({ code, killed, err }, { code: 0, killed: null, err: "" }, out);
  return JSON.parse(out);
};

/** For such a program: visits a counter, and gives the count and the cookie. */
exports.COUNT = `
  const count = async (port, cookie) => {
    const response = await fetch("http://127.0.0.1:" + port, { headers: cookie ? { cookie } : {} });
    return [Number(await response.text()), response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie];
  };
`;

// The types say what the package does: TypeScript accepts the programs in test/types, and refuses each line that they mark.
"use strict";

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { test } = require("node:test");

const session = require("..");

const PACKAGE = path.join(__dirname, "..");
const PROGRAMS = path.join(__dirname, "types");
const BESIDE = path.join(PROGRAMS, "with-express-session");

function programs(folder) {
  const names = fs.readdirSync(folder).filter((name) => /\.[cm]?ts$/.test(name));
  assert.notEqual(names.length, 0, `no programs in ${folder}`);
  return names.map((name) => path.join(folder, name));
}

function check(files, { cwd = PACKAGE, options = [] } = {}) {
  const tsc = path.join(PACKAGE, "node_modules", "typescript", "bin", "tsc");
  const common = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, ...common, ...options, ...files], { cwd, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
}

test("programs compile where express-session has types, too", () => check(programs(PROGRAMS)));

for (const program of programs(BESIDE)) {
  test(`stores and applications of express-session compile: ${path.basename(program)}`, () => check([program]));
}

test("programs compile, and the types hold by themselves, where there is no express-session", (t) => {
  checkInstalledAs("tenure-express", t);
});

test("programs of express-session compile where this package is installed by its name", (t) => {
  checkInstalledAs("express-session", t);
});

function checkInstalledAs(name, t) {
  const application = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-express-types-"));
  t.after(() => fs.rmSync(application, { recursive: true }));
  const installed = path.join(application, "node_modules", name);
  fs.mkdirSync(path.join(installed, "lib"), { recursive: true });
  const types = fs.readdirSync(path.join(PACKAGE, "lib")).filter((name) => name.endsWith(".d.ts"));
  for (const file of ["package.json", "index.d.ts", ...types.map((name) => path.join("lib", name))]) {
    fs.copyFileSync(path.join(PACKAGE, file), path.join(installed, file));
  }
  fs.mkdirSync(path.join(application, "node_modules", "@types"));
  for (const used of ["express", "node"]) {
    const from = path.join(PACKAGE, "node_modules", "@types", used);
    fs.symlinkSync(from, path.join(application, "node_modules", "@types", used), "junction");
  }
  for (const program of programs(PROGRAMS)) {
    const code = fs.readFileSync(program, "utf8").replace(/"tenure-express(?=["/])/g, `"${name}`);
    fs.writeFileSync(path.join(application, path.basename(program)), code);
  }

  check(programs(application), { cwd: application, options: ["--skipLibCheck", "false"] });
}

test("the types know the names that the option upstream knows", () => {
  const types = fs.readFileSync(path.join(PACKAGE, "index.d.ts"), "utf8");
  const [, union] = /type UpstreamBehaviour = ([^;]+);/.exec(types);
  const names = union.split("|").map((name) => JSON.parse(name));
  const options = { secret: "a", resave: false, saveUninitialized: false };

  session({ ...options, upstream: names });
  assert.throws(() => session({ ...options, upstream: ["?"] }), { message: `upstream option knows no "?"; it knows ${names.join(", ")}` });
});

const TYPES = fs.readFileSync(path.join(PACKAGE, "index.d.ts"), "utf8");

test("each value that the types export is there", () => {
  const values = [...TYPES.matchAll(/^ {2}(?:(?:abstract )?class|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(values.sort(), Object.keys(session).sort());
});

/** The names of an interface's members. */
function members(name) {
  const [, body] = new RegExp(`^ {2}interface ${name} (?:extends \\w+ )?{\\n(.*?)^ {2}}`, "ms").exec(TYPES);
  return [...new Set([...body.matchAll(/^ {4}(?:readonly )?(\w+)[?:(<]/gm)].map(([, member]) => member))].sort();
}

/** The names that an option's error lists. */
function known(options) {
  try {
    session(options);
  } catch ({ message }) {
    return /it knows (.*)$/.exec(message)[1].split(", ").sort();
  }
  return assert.fail("it was accepted");
}

test("the types know the engine's options, and what its objects have", async () => {
  const store = await session.connect("memory:");
  const secret = "Yb0yP2kV9rT4nXwE6uLsJ1dHfCaGzmQ7";
  const options = { store, secret, environment: "development" };
  assert.deepEqual(members("EngineOptions"), known({ ...options, "?": 1 }));
  assert.deepEqual(members("EngineCookieOptions"), known({ ...options, cookie: { "?": 1 } }));
  assert.deepEqual(members("SessionLimit"), known({ ...options, sessionLimit: { "?": 1 } }));
  assert.deepEqual(members("GuessLimit"), known({ ...options, guessLimit: { "?": 1 } }));
  assert.deepEqual(members("TrustProxy"), known({ ...options, trustProxy: { "?": 1 } }));

  const sessions = session(options);
  assert.deepEqual(members("Sessions"), Object.keys(sessions).sort());
  const methodsOf = (object) => Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => name !== "constructor").sort();
  assert.deepEqual(members("OwnerSessions"), methodsOf(sessions.of("ada")));
  const EngineSession = require("../lib/engine/session");
  const own = Object.getOwnPropertyNames(EngineSession.prototype).filter((name) => !["constructor", "cookie"].includes(name));
  assert.deepEqual(members("EngineSession"), own.sort());
});

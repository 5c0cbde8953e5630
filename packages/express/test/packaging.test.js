// What is published works where it is installed: the package and this platform's, in a folder of their own, without Rust.
"use strict";

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, before, test } = require("node:test");

const { PLATFORMS, platform } = require("../lib/platform");
const manifest = require("../package.json");

const PACKAGE = path.join(__dirname, "..");
const APPLICATION = `
  const express = require("express");
  const session = require("tenure-express");

  const app = express();
  app.use(session({ secret: "keyboard cat", resave: false, saveUninitialized: false }));
  app.get("/", (req, res) => {
    req.session.views = (req.session.views || 0) + 1;
    res.send("views: " + req.session.views);
  });
  const server = app.listen(0, "127.0.0.1", async () => {
    const url = "http://127.0.0.1:" + server.address().port;
    const first = await fetch(url);
    const cookie = first.headers.get("set-cookie").split(";")[0];
    const second = await fetch(url, { headers: { cookie } });
    console.log(await first.text(), await second.text());
    server.close();
  });
`;

let folder;
let application;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-express-packaging-"));
  const main = path.join(folder, "main");
  const native = path.join(folder, "native");
  run(process.execPath, ["stage.js", main], PACKAGE);
  // A copy, so that no build of a test is ever published.
  fs.mkdirSync(native);
  for (const name of ["package.json", "README.md"]) {
    fs.copyFileSync(path.join(PACKAGE, "npm", platform(), name), path.join(native, name));
  }
  run(process.execPath, ["build.js", "--dev", "--platform", "--out", native], PACKAGE);

  application = path.join(folder, "application");
  fs.mkdirSync(application);
  fs.writeFileSync(path.join(application, "package.json"), '{ "private": true }');
  fs.writeFileSync(path.join(application, "application.js"), APPLICATION);
  const tarballs = [main, native].map(pack);
  npm(["install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs, `express@${manifest.devDependencies.express}`], application);
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

test("an application that installed the packages has sessions, without cargo", () => {
  const { stdout } = withoutCargo(["application.js"]);
  assert.equal(stdout, "views: 1 views: 2\n");
});

test("each way of importing the installed package works", () => {
  const program = `
    import session, { Cookie, MemoryStore, Session, Store } from "tenure-express";
    import SameStore from "tenure-express/session/store";
    console.log(typeof session, Store === SameStore, new MemoryStore() instanceof Store, typeof Cookie, typeof Session);
  `;
  const { stdout } = withoutCargo(["--input-type=module", "--eval", program]);
  assert.equal(stdout, "function true true function function\n");
});

test("the published package holds what is needed, and no more", () => {
  const installed = path.join(application, "node_modules", "tenure-express");
  assert.deepEqual(fs.readdirSync(installed).sort(), [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "index.d.ts",
    "index.js",
    "index.mjs",
    "lib",
    "package.json",
  ]);
  assert.deepEqual(fs.readdirSync(path.join(installed, "lib")).sort(), fs.readdirSync(path.join(PACKAGE, "lib")).sort());

  const published = JSON.parse(fs.readFileSync(path.join(installed, "package.json"), "utf8"));
  assert.deepEqual(Object.keys(published.optionalDependencies), PLATFORMS.map((name) => `tenure-express-${name}`));
  assert.deepEqual([...new Set(Object.values(published.optionalDependencies))], [manifest.version]);
  for (const field of ["private", "scripts", "devDependencies"]) assert.equal(published[field], undefined);
  assert.deepEqual(published.dependencies, manifest.dependencies);
});

test("what the published README links to is published, too", () => {
  const installed = path.join(application, "node_modules", "tenure-express");
  const readme = fs.readFileSync(path.join(installed, "README.md"), "utf8");
  const files = [...readme.matchAll(/\]\(([^)#]+)/g)].map(([, target]) => target).filter((target) => !/^[a-z]+:/.test(target));
  assert.deepEqual(files.filter((file) => !fs.existsSync(path.join(installed, file))), []);
});

test("without the platform's package, and where it cannot be loaded, the error says what to do", () => {
  const name = `tenure-express-${platform()}`;
  const installed = path.join(application, "node_modules", name);
  const aside = path.join(folder, "aside");
  fs.renameSync(installed, aside);
  try {
    const missing = withoutCargo(["application.js"], 1).stderr;
    assert.match(missing, new RegExp(`needs its native part, the package ${name}\\. Install again`));

    fs.cpSync(aside, installed, { recursive: true });
    fs.writeFileSync(path.join(installed, "tenure.node"), "no library");
    const broken = withoutCargo(["application.js"], 1).stderr;
    assert.match(broken, new RegExp(`found its native part, the package ${name}, which this system cannot load; build it`));
  } finally {
    fs.rmSync(installed, { recursive: true, force: true });
    fs.renameSync(aside, installed);
  }
});

test("on a platform without a package, the error says so", () => {
  const program = 'Object.defineProperty(process, "arch", { value: "vax" }); require("tenure-express");';
  assert.match(withoutCargo(["--eval", program], 1).stderr, /tenure-express has no build for \S*-vax\S*; build it from the sources/);
});

test("a platform's package without its addon cannot be packed", () => {
  const empty = path.join(folder, "empty");
  fs.mkdirSync(empty);
  fs.copyFileSync(path.join(PACKAGE, "npm", platform(), "package.json"), path.join(empty, "package.json"));
  assert.match(npm(["pack", "--pack-destination", folder], empty, 1).stderr, /tenure\.node/);
});

test("each platform has a package, which npm installs on that platform alone", () => {
  assert.deepEqual(fs.readdirSync(path.join(PACKAGE, "npm")).sort(), PLATFORMS);
  for (const name of PLATFORMS) {
    const { name: called, version, os, cpu, libc, main } = require(`../npm/${name}/package.json`);
    const expected = { called: `tenure-express-${name}`, version: manifest.version, main: "./tenure.node" };
    assert.deepEqual({ called, version, main }, expected);
    const abi = { glibc: "gnu", musl: "musl" }[libc?.[0]] ?? (os[0] === "win32" ? "msvc" : undefined);
    assert.equal([...os, ...cpu, ...(abi ? [abi] : [])].join("-"), name);
  }
});

test("a checkout can be installed before anything is published, and is not published itself", () => {
  assert.equal(manifest.optionalDependencies, undefined);
  assert.equal(manifest.private, true);
  const lock = fs.readFileSync(path.join(PACKAGE, "package-lock.json"), "utf8");
  for (const name of PLATFORMS) assert.ok(!lock.includes(`tenure-express-${name}`));
});

function pack(from) {
  const { stdout } = npm(["pack", "--json", "--pack-destination", folder], from);
  return path.join(folder, JSON.parse(stdout)[0].filename);
}

function withoutCargo(args, status = 0) {
  const nothing = path.join(folder, "no-programs");
  fs.mkdirSync(nothing, { recursive: true });
  return run(process.execPath, args, application, status, { ...process.env, PATH: nothing, NODE_ENV: "test" });
}

/** Not under the settings that `npm test` hands on, which are those of the checkout. */
function npm(args, cwd, status = 0) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(config_local|config_global_|package|lifecycle)/i.test(name)));
  return run("npm", args, cwd, status, env);
}

function run(program, args, cwd, status = 0, env = process.env) {
  const shell = process.platform === "win32" && program === "npm";
  const ran = spawnSync(program, args, { cwd, env, encoding: "utf8", shell });
  if (ran.error) throw ran.error;
  assert.equal(ran.status, status, `${program} ${args.join(" ")}\n${ran.stdout}${ran.stderr}`);
  return ran;
}

// Stores that ask for express-session by themselves get this package, where the alias of npm puts it in its place.
"use strict";

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, test } = require("node:test");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-express-"));
after(() => fs.rmSync(folder, { recursive: true }));

/** As `"express-session": "npm:tenure-express"` has npm lay it out. */
function install() {
  const modules = path.join(folder, "node_modules");
  fs.mkdirSync(path.join(modules, "old-store"), { recursive: true });
  fs.symlinkSync(path.join(__dirname, ".."), path.join(modules, "express-session"));
  fs.writeFileSync(
    path.join(modules, "old-store", "index.js"),
    `const session = require("express-session");
     function OldStore() { session.Store.call(this); this.kept = {}; }
     require("node:util").inherits(OldStore, session.Store);
     OldStore.prototype.get = function (id, done) { done(null, this.kept[id] && JSON.parse(this.kept[id])); };
     OldStore.prototype.set = function (id, data, done) { this.kept[id] = JSON.stringify(data); done(); };
     OldStore.prototype.destroy = function (id, done) { delete this.kept[id]; done(); };
     module.exports = OldStore;`,
  );
}

const APP = `
const http = require("node:http");
const session = require("express-session");
const OldStore = require("old-store");
const store = new OldStore();
const middleware = session({ store, secret: "keyboard cat", resave: false, saveUninitialized: false });
const server = http.createServer((req, res) => middleware(req, res, () => {
  req.session.count = (req.session.count ?? 0) + 1;
  res.end(String(req.session.count));
}));
server.listen(0, "127.0.0.1", async () => {
  const url = "http://127.0.0.1:" + server.address().port;
  const first = await fetch(url);
  const cookie = first.headers.get("set-cookie").split(";")[0];
  const second = await fetch(url, { headers: { cookie } });
  console.log(JSON.stringify({ counts: [await first.text(), await second.text()], isStore: store instanceof session.Store, isOurs: require.resolve("express-session") }));
  server.closeAllConnections();
  server.close();
});
`;

test("an old store that requires express-session inherits from this package's Store", () => {
  install();
  const app = path.join(folder, "app.js");
  fs.writeFileSync(app, APP);
  const { stdout, stderr } = spawnSync(process.execPath, [app], { encoding: "utf8", cwd: folder });
  assert.equal(stderr, "");
  const { counts, isStore, isOurs } = JSON.parse(stdout);
  assert.deepEqual(counts, ["1", "2"]);
  assert.ok(isStore);
  assert.equal(isOurs, fs.realpathSync(path.join(__dirname, "..", "index.js")));
});

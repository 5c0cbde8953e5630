// Loads the package again and again, and prints what is left: bytes of each time, middlewares, and addons.
"use strict";

const http = require("node:http");
const path = require("node:path");

const root = path.join(__dirname, "../..");
const SETTINGS = { resave: false, saveUninitialized: false, secret: "keyboard cat" };
const RELOADS = 200;

const middlewares = [];

const addons = () => process.report.getReport().sharedObjects.filter((file) => path.basename(file) === "tenure.node").length;

/** Those who reload without care take the addon and the dependencies out of the cache, too. */
function reload({ everything }) {
  for (const file in require.cache) {
    if (file === __filename || !file.startsWith(root)) continue;
    if (everything || (!file.includes("node_modules") && !file.endsWith(".node"))) delete require.cache[file];
  }
  // Modules remember what they have required.
  module.children.length = 0;
  const session = require(root);
  const req = { headers: { cookie: "connect.sid=s%3Aknown.forged" }, url: "/" };
  const middleware = session(SETTINGS);
  middlewares.push(new WeakRef(middleware));
  middleware(req, new http.ServerResponse(req), () => {});
}

async function heap() {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(setImmediate);
    gc();
  }
  return process.memoryUsage().heapUsed;
}

(async () => {
  const everything = process.argv.includes("everything");
  for (let times = 0; times < 50; times++) reload({ everything });
  const before = await heap();
  for (let times = 0; times < RELOADS; times++) reload({ everything });
  const bytes = Math.round(((await heap()) - before) / RELOADS);
  console.log(JSON.stringify({ bytes, middlewares: middlewares.filter((kept) => kept.deref()).length, addons: addons() }));
})();

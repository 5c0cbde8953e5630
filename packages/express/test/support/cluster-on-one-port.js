// Two processes on one port; each store has every session, and says its id.
"use strict";

const cluster = require("node:cluster");
const http = require("node:http");

const session = require("../..");

if (cluster.isPrimary) {
  let ready = 0;
  cluster.on("listening", (worker, { port }) => {
    if (++ready === 2) console.log(port);
  });
  cluster.fork();
  cluster.fork();
  process.once("SIGTERM", () => cluster.disconnect());
} else {
  class Everybody extends session.Store {
    get(sid, done) {
      done(null, { cookie: {}, sid });
    }
    set(sid, data, done) {
      done();
    }
  }
  const middleware = session({ resave: false, saveUninitialized: true, secret: "keyboard cat", store: new Everybody() });
  http
    .createServer((req, res) => middleware(req, res, () => res.end(JSON.stringify({ pid: process.pid, sid: req.session.sid }))))
    .listen(0, "127.0.0.1");
}

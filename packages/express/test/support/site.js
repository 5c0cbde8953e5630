// A small site with accounts, over any implementation of sessions and any store.
"use strict";

const { once } = require("node:events");
const express = require("express");

exports.SECRET = ["keyboard cat", "an older cat"];

/** Serves it; what comes back has its address and ends it. */
exports.open = async function (session, store, options = {}) {
  const app = express();
  app.use(session({ store, secret: exports.SECRET, resave: false, saveUninitialized: false, cookie: { maxAge: 3_600_000 }, ...options }));
  app.post("/sign-in/:user", (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error);
      req.session.user = { name: req.params.user, since: new Date(0) };
      res.redirect("/me");
    });
  });
  app.get("/me", (req, res) => res.json(req.session.user ?? null));
  app.post("/count", (req, res) => {
    req.session.count = (req.session.count ?? 0) + 1;
    res.json(req.session.count);
  });
  app.post("/sign-out", (req, res, next) => req.session.destroy((error) => (error ? next(error) : res.json("bye"))));
  app.use((error, req, res, next) => res.status(error.status ?? 500).json(error.message));
  return serve(app);
};

async function serve(app) {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

exports.serve = serve;

/** A browser, which keeps its cookies from one site to the one that takes its place. */
exports.Browser = class Browser {
  cookies = new Map();

  async send(method, url, body) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(cookie && { cookie }), ...(body && { "content-type": "application/x-www-form-urlencoded" }) };
    const answer = await fetch(url, { method, headers, body, redirect: "manual" });
    this.keep(answer);
    return answer;
  }

  keep(answer) {
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(";")[0].split("=");
      this.cookies.set(name, value);
    }
  }

  async json(method, url, body) {
    return (await this.send(method, url, body)).json();
  }
};

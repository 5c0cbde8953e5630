// The probed site on each library: a function that serves it, made once for each instance.
"use strict";

const http = require("node:http");
const { promisify } = require("node:util");

const { control, watched } = require("./control");
const handle = require("./handle");

const SECRET = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";

function answer(res, { text, fails }) {
  // express-session sends an answer without a length in pieces.
  res.writeHead(fails ? 500 : 200, { "Content-Length": Buffer.byteLength(text) });
  res.end(text);
}

/** For express-session and what takes its place. */
function middleware(library) {
  const store = watched(new library.MemoryStore());
  return () => {
    const sessions = library({ store, secret: SECRET, resave: false, saveUninitialized: false });
    return http.createServer((req, res) => {
      if (control(req, res)) return;
      sessions(req, res, async (error) => {
        if (error) return answer(res, { text: error.message, fails: true });
        try {
          answer(res, await handle(req, handleOf(req)));
        } catch (failure) {
          if (!res.destroyed) answer(res, { text: failure.message, fails: true });
        }
      });
    });
  };
}

function handleOf(req) {
  const values = () => Object.fromEntries(Object.entries(req.session).filter(([key]) => key !== "cookie"));
  return {
    get: (key) => req.session?.[key],
    set: (key, value) => void (req.session[key] = value),
    clear: () => {
      for (const key of Object.keys(values())) delete req.session[key];
    },
    /** With what was in it, as one who renews wants. */
    renew: async () => {
      const kept = values();
      await promisify(req.session.regenerate).call(req.session);
      Object.assign(req.session, kept);
    },
    end: () => promisify(req.session.destroy).call(req.session),
  };
}

function fastify() {
  const { MemoryStore } = require("express-session");
  const store = watched(new MemoryStore());
  return () => {
    const app = require("fastify")();
    app.addHook("onRequest", (request, reply, next) => {
      if (control(request.raw, reply.raw)) reply.hijack();
      else next();
    });
    app.register(require("@fastify/cookie"));
    app.register(require("@fastify/session"), { secret: SECRET, store, saveUninitialized: false, cookie: { secure: false } });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (request, payload, done) => done(null));
    app.all("/*", async (request, reply) => {
      const { text, fails } = await handle(request.raw, {
        get: (key) => request.session.get(key),
        set: (key, value) => request.session.set(key, value),
        clear: () => {
          for (const key of ["user", "a", "b", "late", "count"]) request.session.set(key, undefined);
        },
        renew: () => request.session.regenerate(["user", "a", "b", "late", "count"]),
        end: () => request.session.destroy(),
      });
      return reply.code(fails ? 500 : 200).send(text);
    });
    return app;
  };
}

/** Which keeps all in the cookie. */
function iron() {
  const { getIronSession } = require("iron-session");
  const options = { password: SECRET, cookieName: "session", cookieOptions: { secure: false } };
  return () =>
    http.createServer(async (req, res) => {
      if (control(req, res)) return;
      try {
        const session = await getIronSession(req, res, options);
        const written = async (write) => {
          write();
          await session.save();
        };
        const outcome = await handle(req, {
          get: (key) => session[key],
          set: (key, value) => written(() => void (session[key] = value)),
          clear: () => written(() => Object.keys(session).forEach((key) => delete session[key])),
          renew: () => session.save(),
          end: () => session.destroy(),
        });
        answer(res, outcome);
      } catch (failure) {
        if (!res.destroyed) answer(res, { text: failure.message, fails: true });
      }
    });
}

module.exports = {
  "express-session": () => middleware(require("express-session")),
  "tenure-express": () => middleware(require("../../../packages/express")),
  "@fastify/session": fastify,
  "iron-session": iron,
};

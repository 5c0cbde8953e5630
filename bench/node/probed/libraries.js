// The probed site on each library: a function that serves it, made once for each instance.
"use strict";

const http = require("node:http");
const { promisify } = require("node:util");

const { controlOf } = require("./control");
const { fastifyForger, ironForger, sidForger, tenureForger } = require("./forgers");
const handle = require("./handle");
const watchedRedis = require("./watched-redis");
const watched = require("./watched-store");

const SECRET = "T4nXwE6uLsJ1dHfCaGzmQ7Yb0yP2kV9r";

function answer(res, { text, fails }) {
  // express-session sends an answer without a length in pieces.
  res.writeHead(fails ? 500 : 200, { "Content-Length": Buffer.byteLength(text) });
  res.end(text);
}

/** A server of what is in express-session's form. */
function serverOf(sessions, control, handleOf) {
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
}

/** For express-session and what takes its place. */
function middleware(library) {
  const store = watched(new library.MemoryStore());
  const control = controlOf({ store, forge: sidForger(SECRET) });
  return () => {
    const sessions = library({ store: store.store, secret: SECRET, resave: false, saveUninitialized: false });
    return serverOf(sessions, control, handleOf);
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

/** Tenure's engine, which takes none but its own stores: on Redis, for the one in memory shows nobody what is in it. */
async function engine(redisUrl) {
  const tenure = ours();
  const control = controlOf({ store: await watchedRedis(redisUrl), forge: tenureForger(SECRET) });
  return async () => {
    const store = await tenure.connect(redisUrl);
    // A thief has more time than a limit of guesses lets the probes have.
    return serverOf(tenure({ store, secret: SECRET, guessLimit: "unlimited" }), control, engineHandleOf);
  };
}

function engineHandleOf({ session }) {
  return {
    get: (key) => session[key],
    set: (key, value) => void (session[key] = value),
    update: (key, change) => session.update(key, change),
    clear: () => {
      for (const key of Object.keys(session)) delete session[key];
    },
    renew: () => session.renew(),
    signIn: () => session.signIn("ada"),
    end: () => session.signOut(),
  };
}

function fastify() {
  const { MemoryStore } = require("express-session");
  const store = watched(new MemoryStore());
  const control = controlOf({ store, forge: fastifyForger(SECRET) });
  return () => {
    const app = require("fastify")();
    app.addHook("onRequest", (request, reply, next) => {
      if (control(request.raw, reply.raw)) reply.hijack();
      else next();
    });
    app.register(require("@fastify/cookie"));
    app.register(require("@fastify/session"), {
      secret: SECRET,
      store: store.store,
      saveUninitialized: false,
      cookie: { secure: false },
    });
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
  const control = controlOf({ forge: ironForger(SECRET) });
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

const ours = () => require("../../../packages/express");

module.exports = {
  "Tenure, engine for Express": engine,
  "tenure-express": () => middleware(ours()),
  "express-session": () => middleware(require("express-session")),
  "@fastify/session": fastify,
  "iron-session": iron,
};

// What handlers do.
"use strict";

const called = (start) => new Promise((resolve) => start((error) => resolve(error)));

const ACTIONS = {
  read: ({ req, note }) => note("n is", req.session?.n),
  write: ({ req }) => (req.session.n = (req.session.n || 0) + 1),
  "write equal": ({ req }) => (req.session.n = req.session.n ?? 1),
  "write and undo": ({ req }) => {
    req.session.extra = 1;
    delete req.session.extra;
  },
  "write deep": ({ req }) => (req.session.cart = [...(req.session.cart ?? []), { more: true }]),
  "write undefined": ({ req }) => (req.session.nothing = undefined),
  "write a date": ({ req }) => (req.session.when = new Date(0)),
  remove: ({ req }) => delete req.session.n,
  "write large": ({ req }) => (req.session.large = "x".repeat(10_000)),
  save: async ({ req, note }) => note("saved", (await called((done) => req.session.save(done)))?.message),
  "save blindly": ({ req }) => void req.session.save(),
  reload: async ({ req, note }) => note("reloaded", (await called((done) => req.session.reload(done)))?.message, req.session?.n),
  regenerate: async ({ req, note }) => {
    const error = await called((done) => req.session.regenerate(done));
    note("regenerated", error?.message, req.sessionID, JSON.stringify(req.session));
  },
  destroy: async ({ req, note }) => {
    const error = await called((done) => req.session.destroy(done));
    note("destroyed", error?.message, req.session === undefined, req.sessionID);
  },
  touch: ({ req, note }) => note("touch chains", req.session.touch() === req.session),
  "reset max age": ({ req, note }) => note("chains", req.session.resetMaxAge() === req.session),
  "null session": ({ req }) => (req.session = null),
  "delete session": ({ req }) => delete req.session,
  "max age": ({ req }) => (req.session.cookie.maxAge = 5_000),
  "max age null": ({ req }) => (req.session.cookie.maxAge = null),
  "max age false": ({ req }) => (req.session.cookie.maxAge = false),
  "max age text": ({ req }) => (req.session.cookie.maxAge = "5000"),
  "expires date": ({ req }) => (req.session.cookie.expires = new Date(Date.now() + 7_000)),
  "secure cookie": ({ req }) => (req.session.cookie.secure = true),
  "bad same site": ({ req }) => (req.session.cookie.sameSite = "bogus"),
  "bad domain": ({ req }) => (req.session.cookie.domain = "not a domain"),
  "cookie part": ({ req }) => Object.assign(req.session.cookie, { domain: "a.test", path: "/x", priority: "low" }),
  "bogus id": ({ req }) => (req.sessionID = 7),
  "no id": ({ req }) => (req.sessionID = undefined),
  "other id": ({ req }) => (req.sessionID = "chosen"),
  "look at cookie": ({ req, note }) => {
    const { cookie } = req.session;
    note("cookie", JSON.stringify(cookie), cookie.maxAge, cookie.originalMaxAge, cookie.expires instanceof Date);
    note("keys", Object.keys(cookie).join(), [...(function* () { for (const key in cookie) yield key; })()].join());
    note("serialized", cookie.serialize("a", "b"));
  },
  "look at session": ({ req, note }) => {
    const { session } = req;
    note("own", Object.getOwnPropertyNames(session).join(), session.id === req.sessionID, session.req === req);
    note("proto", Object.getOwnPropertyNames(Object.getPrototypeOf(session)).join());
    note("store", req.sessionStore === session.req.sessionStore);
  },
  "write id": ({ req, note }) => {
    req.session.id = "changed";
    note("id", req.session.id);
  },
  "own save": ({ req, note }) => {
    const { save } = req.session;
    req.session.save = function (callback) {
      note("own save");
      return save.call(this, callback);
    };
  },
  "load by store": async ({ req, note, store }) => {
    const session = await new Promise((resolve) => store.load("known", (error, session) => resolve(session)));
    note("loaded", JSON.stringify(session), session?.id, session?.cookie?.constructor?.name);
  },
  "method replaced": ({ store }) => {
    const { set } = store;
    store.set = function (sid, session, callback) {
      session.replaced = true;
      set.call(this, sid, session, callback);
    };
  },
  "own cookie": ({ res }) => res.setHeader("Set-Cookie", "a=1"),
  "own cookies": ({ res }) => res.setHeader("Set-Cookie", ["a=1", "b=2"]),
  "write head": ({ res }) => res.writeHead(201, { "X-Head": "1" }),
  "write chunk": ({ res }) => res.write("chunk "),
  length: ({ res }) => res.setHeader("Content-Length", 5),
  "status 204": ({ res }) => (res.statusCode = 204),
  "status 304": ({ res }) => (res.statusCode = 304),
  redirect: ({ res }) => {
    res.statusCode = 302;
    res.setHeader("Location", "/next");
    res.setHeader("Content-Length", 5);
    res.end("moved");
  },
  end: ({ res }) => void res.end("hello"),
  "end empty": ({ res }) => void res.end(),
  "end null": ({ res }) => void res.end(null),
  "end empty text": ({ res }) => void res.end(""),
  "end buffer": ({ res }) => void res.end(Buffer.from("héllo")),
  "end latin1": ({ res }) => void res.end("héllo", "latin1"),
  "end with length": ({ res }) => {
    res.setHeader("Content-Length", "5");
    res.end("hello");
  },
  "end length zero": ({ res }) => {
    res.setHeader("Content-Length", "0");
    res.end();
  },
  "end number": ({ res }) => void res.end(5),
  "end twice": ({ res, note }) => {
    res.end("one");
    note("again", res.end("two"));
  },
  "sent?": ({ res, note }) => note("sent", res.headersSent),
  "header after": ({ res, note }) => {
    for (const change of [() => res.setHeader("X-Late", "1"), () => res.removeHeader("X-Early"), () => res.writeHead(500)]) {
      try {
        change();
        note("changed");
      } catch (error) {
        note("refused", error.code, error.message);
      }
    }
  },
  "status after": ({ res }) => (res.statusCode = 500),
  "write after": ({ req }) => (req.session.late = true),
  throw: () => {
    throw new Error("the handler's");
  },
  wait: () => new Promise((resolve) => setImmediate(resolve)),
};

/** Does one after another. */
exports.act = async function (names, context) {
  for (const name of names) {
    const action = typeof name === "function" ? name : ACTIONS[name];
    if (!action) throw new Error(`no such action: ${name}`);
    await action(context);
  }
};

exports.ENDS = [
  "end", "end empty", "end null", "end empty text", "end buffer", "end latin1", "end with length", "end length zero",
  "end twice", "redirect",
];

// Nothing of a response leaves before its session is saved, in whatever way it is sent; what changes while it is sent is saved, too.
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const zlib = require("node:zlib");
const { once } = require("node:events");
const { pipeline } = require("node:stream/promises");
const { after, before, describe, test } = require("node:test");

const compression = require("compression");
const express = require("express");

const { COOKIE, Visitor, engine, listen, milestone } = require("./support/engine");
const { FRAMEWORKS, ask, isHttp2 } = require("./support/frameworks");
const { lineTo } = require("./support/held-line");
const { startRedis } = require("./support/servers");

const turns = async (count) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tenure-engine-response-"));
const BIG = path.join(folder, "big");
const bytes = crypto.randomBytes(3 * 2 ** 20);
fs.writeFileSync(BIG, bytes);
after(() => fs.rmSync(folder, { recursive: true }));

/** Ways to answer, each of which changes the session first. */
const ANSWERS = {
  "/end": (req, res) => res.end("body"),
  "/nothing": (req, res) => res.end(),
  "/write": (req, res) => {
    res.write("bo");
    res.write(Buffer.from("dy"));
    res.end();
  },
  "/write-by-turns": async (req, res) => {
    for (const letter of "body") {
      res.write(letter);
      await turns(3);
    }
    res.end();
  },
  "/callbacks": (req, res) => res.write("bo", "latin1", () => res.end("dy", "latin1", () => {})),
  "/head-object": (req, res) => {
    res.setHeader("Set-Cookie", "first=0");
    res.writeHead(201, { "Set-Cookie": ["own=1", "own2=2"], "X-Own": "1" });
    res.end("body");
  },
  "/head-single": (req, res) => {
    res.writeHead(201, { "Set-Cookie": "own=1", "X-Own": "1" });
    res.write("body");
    res.end();
  },
  "/head-alone": async (req, res) => {
    res.writeHead(201, { "Set-Cookie": "own=1", "X-Own": "1" });
    await turns(20);
    res.end("body");
  },
  "/appended": (req, res) => {
    res.appendHeader("Set-Cookie", "own=1");
    res.setHeader("X-Own", "1");
    res.statusCode = 201;
    res.end("body");
  },
  "/flush": async (req, res) => {
    res.setHeader("Content-Type", "text/event-stream");
    res.flushHeaders();
    await turns(20);
    res.write("body");
    res.end();
  },
  "/flush-and-on": (req, res) => {
    res.setHeader("Content-Type", "text/event-stream");
    res.flushHeaders();
    res.write("bo");
    res.end("dy");
  },
  "/redirect": (req, res) => {
    res.statusCode = 302;
    res.setHeader("Location", "/values");
    res.end();
  },
  "/not-modified": (req, res) => {
    res.statusCode = 304;
    res.end();
  },
  "/no-content": (req, res) => {
    res.writeHead(204);
    res.end();
  },
  "/twice": (req, res) => {
    res.end("body");
    res.end("another");
  },
  "/pipe": (req, res) => {
    fs.createReadStream(BIG).pipe(res);
  },
  "/pipeline": (req, res) => pipeline(fs.createReadStream(BIG, { highWaterMark: 2 ** 20 }), res),
  "/drained": async (req, res) => {
    for (let at = 0; at < bytes.length; at += 2 ** 18) {
      if (!res.write(bytes.subarray(at, at + 2 ** 18))) await once(res, "drain");
    }
    res.end();
  },
};

/** What holds for an answer, and for no error in its place. */
const OF_THE_ANSWER = { "cache-control": "public, max-age=3600", expires: "Fri, 01 Jan 2100 00:00:00 GMT", "clear-site-data": '"*"' };

/** Node's own, and not of HTTP/2. */
const ONLY_HTTP1 = {
  "/head-flat": (req, res) => {
    res.writeHead(201, ["Set-Cookie", "own=1", "Set-Cookie", "own2=2", "X-Own", "1"]);
    res.end("body");
  },
  "/head-message": (req, res) => {
    res.writeHead(201, "Made", { "X-Own": "1", "Set-Cookie": "own=1" });
    res.end("body");
  },
};

const OTHER_BODIES = { "/nothing": "", "/redirect": "", "/not-modified": "", "/no-content": "" };
const BIG_ONES = ["/pipe", "/pipeline", "/drained"];
const OTHER_STATUSES = { "/redirect": 302, "/not-modified": 304, "/no-content": 204 };
const OWN_COOKIES = {
  "/head-object": ["own=1", "own2=2"], "/head-single": ["own=1"], "/head-alone": ["own=1"], "/appended": ["own=1"],
  "/head-flat": ["own=1", "own2=2"], "/head-message": ["own=1"],
};

function pathOf(req) {
  return (req.originalUrl ?? req.url).split("?")[0];
}

/** The handler: tells the session's values, or changes them and answers in one of the ways. */
function handle(req, res, next) {
  const place = pathOf(req);
  if (place === "/values") return res.end(JSON.stringify(req.session));
  const answer = ANSWERS[place] ?? ONLY_HTTP1[place];
  req.session.by = place;
  Promise.resolve(answer(req, res)).catch(next);
}

function failed(error, req, res, next) {
  if (res.headersSent) return res.destroy?.() ?? res.stream?.destroy();
  res.statusCode = error.status ?? 500;
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ code: error.code, message: error.message }));
}

const cookiesOf = ({ headers }) => headers["set-cookie"] ?? [];
const sessionCookies = (answer) => cookiesOf(answer).filter((line) => line.startsWith(`${COOKIE}=`));
const cookieOf = (answer) => sessionCookies(answer)[0]?.split(";")[0];

async function serveOn(t, name, middlewares, onError = failed) {
  const { listener, make } = FRAMEWORKS[name](middlewares, onError);
  const site = await listen(listener, make);
  t.after(site.close);
  return (place, options = {}) => ask(name, site, { path: place, ...options });
}

for (const name of Object.keys(FRAMEWORKS)) {
  describe(name, () => {
    let sessions;
    before(async () => {
      sessions = await engine("memory:");
    });

    for (const place of [...Object.keys(ANSWERS), ...(isHttp2(name) ? [] : Object.keys(ONLY_HTTP1))]) {
      test(`an answer by ${place} goes out whole, with the cookie of a session that is saved`, async (t) => {
        const send = await serveOn(t, name, [sessions, handle]);
        const answer = await send(place);
        const { body, status } = answer;
        assert.equal(status, OTHER_STATUSES[place] ?? (place in OWN_COOKIES ? 201 : 200), body.toString().slice(0, 300));
        if (BIG_ONES.includes(place)) assert.ok(body.equals(bytes), `${body.length} bytes`);
        else assert.equal(body.toString(), OTHER_BODIES[place] ?? "body");
        assert.equal(sessionCookies(answer).length, 1);
        for (const own of OWN_COOKIES[place] ?? []) assert.ok(cookiesOf(answer).includes(own), own);
        if (place in OWN_COOKIES) assert.equal(answer.headers["x-own"], "1");
        const cookie = cookieOf(answer);
        assert.deepEqual(JSON.parse((await send("/values", { headers: { cookie } })).body), { by: place });
        // And on a session that is there.
        const again = await send(place, { headers: { cookie } });
        assert.deepEqual([again.status, again.body.length, sessionCookies(again).length], [status, body.length, 0]);
      });
    }

    test("whoever changes the head while it waits is told that it is too late, as ever", async (t) => {
      const codes = [];
      const send = await serveOn(t, name, [sessions, (req, res) => {
        req.session.by = "first";
        res.writeHead(201, { "X-Own": "1" });
        for (const late of [() => res.writeHead(202), () => res.setHeader("X-Own", "2"), () => res.removeHeader("X-Own")]) {
          try {
            late();
          } catch ({ code }) {
            codes.push(code);
          }
        }
        res.statusCode = 203;
        res.end(String(res.headersSent));
      }]);
      const answer = await send("/");
      assert.deepEqual([answer.status, answer.headers["x-own"], answer.body.toString()], [201, "1", "true"]);
      assert.deepEqual(codes, Array(3).fill("ERR_HTTP_HEADERS_SENT"));
    });

    test("an answer to HEAD has the cookie, and the length of what it does not send", async (t) => {
      const send = await serveOn(t, name, [sessions, (req, res) => {
        req.session.by = "HEAD";
        res.setHeader("Content-Length", "4");
        res.end("body");
      }]);
      const answer = await send("/", { method: "HEAD" });
      assert.deepEqual([answer.status, answer.headers["content-length"], answer.body.length], [200, "4", 0]);
      assert.equal(sessionCookies(answer).length, 1);
    });

    test("what is changed while the response is sent is saved at its end, at once or later", async (t) => {
      const send = await serveOn(t, name, [sessions, async (req, res) => {
        if (pathOf(req) === "/values") return res.end(JSON.stringify(req.session));
        req.session.first = 1;
        res.write("a");
        req.session.atOnce = 2;
        if (pathOf(req) === "/later") await turns(50);
        req.session.first += 10;
        req.session.later = 3;
        res.end("b");
      }]);
      for (const place of ["/at-once", "/later"]) {
        const answer = await send(place);
        assert.equal(answer.body.toString(), "ab");
        const values = JSON.parse((await send("/values", { headers: { cookie: cookieOf(answer) } })).body);
        assert.deepEqual(values, { first: 11, atOnce: 2, later: 3 });
      }
    });

    test("an event stream opens at once, and what it does later is saved when it ends", async (t) => {
      const opened = milestone();
      const send = await serveOn(t, name, [sessions, async (req, res) => {
        if (pathOf(req) === "/values") return res.end(JSON.stringify(req.session));
        req.session.opened = true;
        res.writeHead(200, { "Content-Type": "text/event-stream" });
        res.flushHeaders();
        for (let event = 0; event < 5; event++) {
          res.write(`data: ${event}\n\n`);
          await turns(5);
          await req.session.update("events", (events) => (events ?? 0) + 1);
        }
        req.session.closed = true;
        res.end();
        opened.reach();
      }]);
      const answer = await send("/events");
      await opened.reached;
      assert.equal(answer.body.toString().match(/data: \d/g).length, 5);
      const values = JSON.parse((await send("/values", { headers: { cookie: cookieOf(answer) } })).body);
      assert.deepEqual(values, { opened: true, events: 5, closed: true });
    });

    test("what needs a cookie after the head has gone out is an error, and the response does not end as if it were whole", async (t) => {
      const codes = [];
      const send = await serveOn(
        t,
        name,
        [sessions, (req, res) => {
          res.write("begun");
          turns(30).then(() => {
            req.session.late = true;
            res.end("ended");
          });
        }],
        (error, req, res, next) => {
          codes.push(error.code);
          (res.stream ?? res.socket).destroy();
        },
      );
      await assert.rejects(async () => {
        const { body } = await send("/");
        // HTTP/2 without a length has no other sign than that the end is missing.
        assert.doesNotMatch(body.toString(), /ended/);
        throw new Error("cut");
      });
      assert.deepEqual(codes, ["EAFTERRESPONSE"]);
    });
  });
}

describe("a store that is slow, or fails", () => {
  let redis;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.stop());

  async function site(t, name, handler, options = {}) {
    const line = await lineTo(redis.url);
    t.after(line.close);
    const sessions = await engine(line.url, { storeDeadline: 20_000, ...options });
    const send = await serveOn(t, name, [sessions, handler]);
    // So that the store's connection is there.
    await send("/end");
    return { line, send };
  }

  for (const name of Object.keys(FRAMEWORKS)) {
    for (const place of ["/end", "/write", "/head-single", "/head-alone", "/flush", "/redirect", "/pipe"]) {
      test(`${name}: not a byte of ${place} leaves before the session is saved`, async (t) => {
        const { line, send } = await site(t, name, handle);
        const asked = line.hold();
        let isAnswered = false;
        const answering = send(place).then((answer) => {
          isAnswered = true;
          return answer;
        });
        await asked;
        await turns(100);
        assert.equal(isAnswered, false);
        line.release();
        const answer = await answering;
        assert.equal(answer.status, OTHER_STATUSES[place] ?? (place in OWN_COOKIES ? 201 : 200));
        // The page that a redirect leads to finds what was written.
        assert.deepEqual(JSON.parse((await send("/values", { headers: { cookie: cookieOf(answer) } })).body), { by: place });
      });
    }

    const places = ["Express 5", "node:http2"].includes(name)
      ? Object.keys(ANSWERS).filter((place) => place !== "/drained")
      : ["/write", "/head-alone", "/pipe"];
    for (const place of [...places, "/on-and-on"]) {
      test(`${name}: if it can't be saved, nothing of ${place} is seen but the error`, async (t) => {
        const finished = milestone();
        const { line, send } = await site(t, name, (req, res, next) => {
          for (const [name, value] of Object.entries(OF_THE_ANSWER)) res.setHeader(name, value);
          if (pathOf(req) !== "/on-and-on") return handle(req, res, next);
          // A handler that does not know that it has failed, and goes on long after.
          req.session.by = "on and on";
          res.writeHead(200, { "X-Own": "1", "Content-Length": "4" });
          (async () => {
            for (let times = 0; times < 2_000; times++) {
              res.write("b", () => {});
              await turns(1);
            }
            res.end("y");
            res.end();
            finished.reach();
          })().catch(finished.reach);
        }, { storeDeadline: 100 });
        line.cut();
        const answer = await send(place);
        assert.equal(answer.status, 503, answer.body.toString().slice(0, 100));
        assert.equal(JSON.parse(answer.body).code, "ESTORE");
        assert.deepEqual([cookiesOf(answer), answer.headers["x-own"], answer.headers.location], [place === "/head-object" ? ["first=0"] : place === "/appended" ? ["own=1"] : [], place === "/appended" ? "1" : undefined, undefined]);
        for (const name of Object.keys(OF_THE_ANSWER)) assert.equal(answer.headers[name], undefined, name);
        if (place === "/on-and-on") await finished.reached;
        // The process is there, and serves.
        assert.equal((await send("/end")).status, 503);
      });
    }
  }

  test("whoever waits for a write that is never made is told so", async (t) => {
    const told = milestone();
    const { line, send } = await site(t, "Express 5", (req, res, next) => {
      req.session.by = 1;
      if (pathOf(req) === "/end") return res.end();
      res.write("a", (error) => told.reach(error));
    }, { storeDeadline: 100 });
    line.cut();
    assert.equal((await send("/told")).status, 503);
    assert.equal((await told.reached).code, "ESTORE");
  });

  test("Express: res.json after a failure is not the answer, and neither is a second one", async (t) => {
    const errors = [];
    const { line, send } = await site(t, "Express 5", async (req, res, next) => {
      if (pathOf(req) === "/end") return res.end();
      req.session.by = 1;
      try {
        await req.session.save();
      } catch (error) {
        errors.push(error.code);
      }
      res.json("as if nothing had happened");
      await turns(50);
      try {
        res.json("and again");
      } catch (error) {
        errors.push(error.code);
      }
    }, { storeDeadline: 100 });
    line.cut();
    const answer = await send("/json");
    assert.equal(answer.status, 503);
    assert.equal(JSON.parse(answer.body).code, "ESTORE");
    assert.equal(errors[0], "ESTORE");
  });
});

for (const name of ["Express 5", "Express 4", "connect", "node:http"]) {
  for (const order of ["before", "behind"]) {
    test(`${name}: compression ${order} the sessions`, async (t) => {
      const sessions = await engine("memory:");
      const compress = compression({ threshold: 0 });
      const big = (req, res) => {
        if (pathOf(req) !== "/big") return handle(req, res);
        req.session.by = "/big";
        res.setHeader("Content-Type", "text/plain");
        const text = bytes.toString("hex");
        res.write(text.slice(0, 1_000_000));
        res.write(text.slice(1_000_000, 2_000_000));
        req.session.more = true;
        res.end(text.slice(2_000_000));
      };
      const typed = (req, res, next) => {
        res.setHeader("Content-Type", "text/plain");
        next();
      };
      const send = await serveOn(t, name, order === "before" ? [compress, sessions, typed, big] : [sessions, compress, typed, big]);
      for (const place of ["/end", "/write", "/write-by-turns", "/head-single", "/pipe", "/drained", "/redirect", "/flush", "/flush-and-on", "/big"]) {
        const answer = await send(place, { headers: { "accept-encoding": "gzip" } });
        const isSmall = place === "/redirect";
        if (!isSmall) assert.equal(answer.headers["content-encoding"], "gzip", place);
        const isCompressed = answer.headers["content-encoding"] !== undefined;
        const body = isCompressed ? zlib.gunzipSync(answer.body) : answer.body;
        if (BIG_ONES.includes(place)) assert.ok(body.equals(bytes), place);
        else if (place === "/big") assert.equal(body.toString(), bytes.toString("hex"));
        else assert.equal(body.toString(), OTHER_BODIES[place] ?? "body", place);
        assert.equal(sessionCookies(answer).length, 1, place);
        const values = JSON.parse((await send("/values", { headers: { cookie: cookieOf(answer) } })).body);
        assert.deepEqual(values, place === "/big" ? { by: place, more: true } : { by: place });
      }
    });
  }
}

test("Express: files, JSON, redirects and errors of its own go out with the session saved", async (t) => {
  const sessions = await engine("memory:");
  const app = express();
  app.use(sessions);
  app.get("/values", (req, res) => res.json(req.session));
  app.use((req, res, next) => {
    req.session.by = req.path;
    next();
  });
  app.get("/file", (req, res) => res.sendFile(BIG));
  app.get("/json", (req, res) => res.json({ a: 1 }));
  app.get("/jsonp", (req, res) => res.jsonp({ a: 1 }));
  app.get("/redirect", (req, res) => res.redirect("/values"));
  app.get("/status", (req, res) => res.sendStatus(202));
  app.get("/download", (req, res) => res.download(BIG, "big"));
  app.get("/static/big", express.static(folder));
  app.get("/throws", () => {
    throw Object.assign(new Error("no"), { status: 418 });
  });
  app.set("env", "test");
  const site = await listen(app);
  t.after(site.close);
  for (const [place, status] of [["/file", 200], ["/json", 200], ["/jsonp", 200], ["/redirect", 302], ["/status", 202], ["/download", 200], ["/throws", 418], ["/missing", 404]]) {
    const visitor = new Visitor();
    const answer = await visitor.send("GET", site.url + place);
    assert.equal(answer.status, status, place);
    if (place === "/file" || place === "/download") assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes));
    assert.deepEqual(await visitor.json("GET", `${site.url}/values`), { by: place });
  }
  const visitor = new Visitor();
  await visitor.send("GET", `${site.url}/json`);
  const etag = (await visitor.send("GET", `${site.url}/json`)).headers.get("etag");
  // By a client that asks for nothing of its own accord.
  const conditional = { path: "/json", headers: { cookie: visitor.header, "if-none-match": etag } };
  assert.equal((await ask("Express 5", site, conditional)).status, 304);
  const range = await visitor.send("GET", `${site.url}/file`, { headers: { range: "bytes=10-19" } });
  assert.deepEqual([range.status, Buffer.from(await range.arrayBuffer()).equals(bytes.subarray(10, 20))], [206, true]);
});

test("a browser that is gone before the session is saved harms nobody", async (t) => {
  const redis = await startRedis();
  const line = await lineTo(redis.url);
  t.after(async () => {
    await line.close();
    await redis.stop();
  });
  const sessions = await engine(line.url, { storeDeadline: 20_000 });
  const closed = milestone();
  const app = express();
  app.use(sessions);
  app.post("/", (req, res) => {
    req.session.by = "gone";
    res.on("close", closed.reach);
    fs.createReadStream(BIG).pipe(res);
  });
  app.get("/", (req, res) => res.json(req.session.by ?? null));
  const site = await listen(app);
  t.after(site.close);
  await fetch(site.url);
  const asked = line.hold();
  const request = http.request(site.url, { method: "POST", agent: false });
  request.on("error", () => {});
  request.end();
  await asked;
  request.destroy();
  await closed.reached;
  line.release();
  assert.equal(await (await fetch(site.url)).json(), null);
});

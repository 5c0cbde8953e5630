// Runs one scenario on one implementation, and writes down all that can be seen of it.
"use strict";

const http = require("node:http");
const net = require("node:net");
const { once } = require("node:events");
const { setImmediate: nextTurn } = require("node:timers/promises");
const { mock } = require("node:test");

const { act } = require("./actions");
const { cookieHeader } = require("./cookies");
const { recordingStore } = require("./recording-store");

const START = Date.UTC(2026, 0, 1);
/** A response that has not come by now never will: the stores of the scenarios answer at once. */
const HANGS_AFTER = 2_000;

/** The raw bytes of the answer to one request, without the date. */
async function exchange(port, { method = "GET", path = "/", version = "1.1", headers = {} }, onTimeout) {
  const socket = net.connect(port, "127.0.0.1");
  const lines = [`${method} ${path} HTTP/${version}`, "Host: app.test", "Connection: close"];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);

  const chunks = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  const timer = setTimeout(() => {
    onTimeout();
    socket.destroy();
  }, HANGS_AFTER);
  await once(socket, "close");
  clearTimeout(timer);
  return Buffer.concat(chunks).toString("latin1").replace(/\r\nDate: [^\r]*/g, "");
}

/** The value of the session's cookie in an answer, for the next request. */
const setCookie = (answer, name) =>
  answer
    .split("\r\n")
    .filter((line) => line.startsWith(`Set-Cookie: ${name}=`))
    .map((line) => line.slice(`Set-Cookie: ${name}=`.length).split(";")[0])
    .pop();

/**
 * `implementation` is express-session or ours. `upstream` is handed to ours; the other ignores it.
 * What comes back is plain data, equal for equal behaviour.
 */
exports.run = async function (implementation, scenario, upstream) {
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date"], now: START });
  const events = [];
  const note = (...event) => events.push(event);
  const noteError = (where, error) => note(where, error?.name, error?.code, error?.message);

  const ids = new Map();
  const idName = (id) => {
    if (!ids.has(id)) ids.set(id, `<id ${ids.size}>`);
    return ids.get(id);
  };
  const withoutRandomIds = (text) =>
    text
      .replace(/s%3A([\w-]{32})\.(?:%2B|%2F|\w){43}/g, (_, id) => `s%3A${idName(id)}.signature`)
      .replace(/(?<![\w-])[\w-]{32}(?![\w-])/g, idName);

  let made = 0;
  const { options = {}, requests, store: storeKind = {} } = scenario;
  const settings = {
    genid: () => `id-${++made}`,
    resave: false,
    saveUninitialized: false,
    secret: "keyboard cat",
    ...(typeof options === "function" ? options() : options),
    ...(upstream === undefined ? {} : { upstream }),
  };
  const random = settings.genid === "default";
  if (random) delete settings.genid;
  const store = recordingStore(implementation, storeKind, (...call) => note("store", ...call));
  if (store) settings.store = store;

  let middleware;
  try {
    middleware = implementation(settings);
  } catch (error) {
    noteError("thrown when made", error);
    return { events, answers: [] };
  }

  let request;
  const server = http.createServer((req, res) => {
    res.on("error", (error) => note("response", error.code));
    scenario.prepare?.(req, res);
    request.prepare?.(req, res, store);
    const failed = (where, error) => {
      noteError(where, error);
      if (!res.headersSent) {
        if (res.statusCode < 400) res.statusCode = 500;
        res.end("error");
      } else if (where === "handler") {
        res.end();
      }
    };
    let entered = false;
    const next = (error) => {
      if (error) return failed("next", error);
      if (entered) return note("next again");
      entered = true;
      note("session", req.sessionID, JSON.stringify(req.session), Object.keys(req.session ?? {}).join());
      act(request.actions ?? ["end"], { req, res, note, implementation, store, upstream }).catch((error) =>
        failed("handler", error),
      );
    };
    try {
      middleware(req, res, next);
    } catch (error) {
      failed("middleware", error);
    }
  });
  server.on("connection", (socket) => {
    if (request.encrypted) socket.encrypted = true;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const answers = [];
  let jar;
  try {
    for (request of requests) {
      if (request.tick) mock.timers.tick(request.tick);
      if (request.store) request.store(store);
      const cookie = cookieHeader(request.cookie, settings, jar);
      const headers = { ...(cookie === undefined ? {} : { Cookie: cookie }), ...request.headers };
      const answer = await exchange(server.address().port, { ...request, headers }, () => note("hangs"));
      jar = setCookie(answer, settings.name ?? settings.key ?? "connect.sid") ?? jar;
      answers.push(answer);
      // What is put off until after the response.
      for (let turn = 0; turn < 4; turn++) await nextTurn();
      if (storeKind.form === "bare") note("stored", { ...store.sessions });
    }
  } finally {
    server.closeAllConnections();
    server.close();
    mock.timers.reset();
  }
  const seen = JSON.stringify({ events, answers });
  return JSON.parse(random ? withoutRandomIds(seen) : seen);
};

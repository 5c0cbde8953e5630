// The frameworks that the engine is used with, and Node's own servers, by one way to ask each of them.
"use strict";

const http = require("node:http");
const http2 = require("node:http2");
const { once } = require("node:events");

/** Each makes a server of middlewares and a handler of errors. */
const withApp = (make) => (middlewares, failed) => {
  const app = make();
  for (const middleware of middlewares) app.use(middleware);
  app.use(failed);
  return { listener: app, make: http.createServer };
};

const chain = (middlewares, failed) => (req, res) => {
  const step = (at) => (error) => {
    if (error) return failed(error, req, res, () => {});
    middlewares[at](req, res, step(at + 1));
  };
  step(0)();
};

exports.FRAMEWORKS = {
  "Express 5": withApp(() => require("express")()),
  "Express 4": withApp(() => require("express4")()),
  connect: withApp(() => require("connect")()),
  "node:http": (middlewares, failed) => ({ listener: chain(middlewares, failed), make: http.createServer }),
  "node:http2": (middlewares, failed) => ({ listener: chain(middlewares, failed), make: http2.createServer }),
};

exports.isHttp2 = (name) => name === "node:http2";

async function overHttp1({ url }, { path, method = "GET", headers = {}, body }) {
  const request = http.request(url + path, { agent: false, method, headers });
  request.end(body);
  const [response] = await once(request, "response");
  const chunks = await response.toArray();
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

async function overHttp2({ url }, { path, method = "GET", headers = {}, body }) {
  const connection = http2.connect(url);
  try {
    const stream = connection.request({ ":path": path, ":method": method, ...headers });
    stream.end(body);
    const [{ ":status": status, ...answered }] = await once(stream, "response");
    return { status, headers: answered, body: Buffer.concat(await stream.toArray()) };
  } finally {
    connection.destroy();
  }
}

/** Asks over the protocol that the framework speaks. */
exports.ask = (name, site, request) => (exports.isHttp2(name) ? overHttp2 : overHttp1)(site, request);

// A counter in one process of a cluster; it tells the others its port.
"use strict";

const http = require("node:http");
const { RedisStore } = require("connect-redis");
const { createClient } = require("redis");
const session = require("../..");

async function main() {
  const client = createClient({ url: process.env.REDIS_URL });
  await client.connect();
  const store = new RedisStore({ client });
  const middleware = session({ store, secret: "keyboard cat", resave: false, saveUninitialized: false });
  const server = http.createServer((req, res) =>
    middleware(req, res, () => {
      req.session.count = (req.session.count ?? 0) + 1;
      res.end(String(req.session.count));
    }),
  );
  // Ports of a cluster are shared unless they are asked not to be.
  server.listen({ port: 0, host: "127.0.0.1", exclusive: true }, () => process.send(server.address().port));
}

main();

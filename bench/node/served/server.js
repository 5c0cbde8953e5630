// `node server.js CONTENDER BYTES REDIS-URL`: prints its port, and ends with its standard input.
"use strict";

const contenders = require("./contenders");

async function main() {
  const [name, bytes, redisUrl] = process.argv.slice(2);
  const server = await contenders[name](Number(bytes), redisUrl);
  console.log(await listen(server));
  process.stdin.on("close", () => process.exit()).resume();
}

async function listen(server) {
  if (server.ready) {
    await server.listen({ port: 0, host: "127.0.0.1" });
    return server.server.address().port;
  }
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

main();

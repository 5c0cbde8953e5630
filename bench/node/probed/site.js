// `node site.js LIBRARY [REDIS-URL]`: two instances that share one store. Prints their ports, and ends with its standard input.
"use strict";

const libraries = require("./libraries");

async function listen(server) {
  if (server.ready) {
    await server.listen({ port: 0, host: "127.0.0.1" });
    return server.server.address().port;
  }
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

async function main() {
  const [library, redisUrl] = process.argv.slice(2);
  const instance = await libraries[library](redisUrl);
  const ports = [await listen(await instance()), await listen(await instance())];
  console.log(JSON.stringify(ports));
  process.stdin.on("close", () => process.exit()).resume();
}

main();

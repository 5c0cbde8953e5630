// Requests over HTTP: each contender in a process of its own, whose time alone counts.
"use strict";

const { fork } = require("node:child_process");
const { once } = require("node:events");
const path = require("node:path");
const autocannon = require("autocannon");

const { NAMES } = require("./contenders");

const REQUESTS = 3_000;

async function start(name, bytes, redisUrl) {
  const child = fork(path.join(__dirname, "server.js"), [name, String(bytes), redisUrl ?? ""]);
  const [site] = await once(child, "message");
  const used = async () => {
    child.send("used?");
    const [{ microseconds }] = await once(child, "message");
    return microseconds;
  };
  const serve = async () => {
    const load = { url: site.url, connections: 8, amount: REQUESTS, headers: { cookie: site.cookie } };
    const result = await autocannon(load);
    if (result.non2xx || result.errors) throw new Error(`${name} failed ${result.non2xx + result.errors} times`);
  };
  return { used, serve, stop: () => child.kill() };
}

/** The processor's microseconds for one request of each contender, once for each round. */
module.exports = async function overHttp(bytes, rounds, redisUrl) {
  const servers = [];
  for (const name of NAMES) servers.push(await start(name, bytes, redisUrl));
  try {
    for (const { serve } of servers) await serve();
    const measured = [];
    for (let round = 0; round < rounds; round++) {
      const times = [];
      for (const { used, serve } of servers) {
        const before = await used();
        await serve();
        times.push(((await used()) - before) / REQUESTS);
      }
      measured.push(times);
    }
    return measured;
  } finally {
    for (const { stop } of servers) stop();
  }
};

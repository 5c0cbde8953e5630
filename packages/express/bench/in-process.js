// Requests without a network, in this process.
"use strict";

const inject = require("light-my-request");

const { NAMES, contender, fill } = require("./contenders");

const REQUESTS = 4_000;

/** The processor's microseconds for one request of each contender, once for each round; `sessions` take turns. */
module.exports = async function inProcess(bytes, rounds, sessions = 1) {
  const runs = [];
  for (const name of NAMES) {
    const { listener } = await contender(name);
    const send = (headers, url = "/fill") => inject(listener, { method: "GET", url, headers });
    const cookies = [];
    while (cookies.length < sessions) cookies.push(name === "bare" ? "a=b" : await fill((headers) => send(headers), bytes));
    let turn = 0;
    const serve = async (requests) => {
      for (let served = 0; served < requests; served++) {
        const answered = await send({ cookie: cookies[turn++ % sessions] }, "/");
        if (answered.statusCode !== 200) throw new Error(`${name} answers ${answered.statusCode}`);
      }
    };
    await serve(REQUESTS);
    runs.push(serve);
  }
  const measured = [];
  for (let round = 0; round < rounds; round++) {
    const times = [];
    for (const serve of runs) {
      const before = process.cpuUsage();
      await serve(REQUESTS);
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / REQUESTS);
    }
    measured.push(times);
  }
  return measured;
};

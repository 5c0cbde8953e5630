// A million requests, with and without sessions: the memory of the second half may not grow. `leaks.js 100000` does fewer.
"use strict";

const inject = require("light-my-request");

const { contender, fill } = require("./contenders");

const REQUESTS = Number(process.argv[2] ?? 1_000_000);
const SAMPLES = 20;
/** What the second half may grow by, in MiB. A leak of 100 bytes a request would be 48 MiB at a million. */
const MOST_MIB = 8;

const resident = () => {
  global.gc();
  return process.memoryUsage.rss() / 2 ** 20;
};

async function main() {
  const { listener } = await contender("ours");
  const send = (headers, url) => inject(listener, { method: "GET", url, headers });
  const cookie = await fill((headers) => send(headers, "/fill"), 230);
  const samples = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    for (let served = 0; served < REQUESTS / SAMPLES; served++) {
      const kind = served % 4;
      await send(kind === 0 ? {} : { cookie: kind === 1 ? "connect.sid=s%3Aforged.signature" : cookie }, "/");
    }
    samples.push(resident());
    console.log(`${((sample + 1) * REQUESTS) / SAMPLES} requests: ${samples.at(-1).toFixed(1)} MiB`);
  }
  const half = samples.slice(SAMPLES / 2 - 1);
  const grown = half.at(-1) - half[0];
  console.log(`the second half grew by ${grown.toFixed(1)} MiB (at most ${MOST_MIB})`);
  process.exit(grown > MOST_MIB ? 1 : 0);
}

main();

// Prints what a request costs more of the processor's time than without sessions: here, on express-session, and the ratio.
// Fails where a ratio is above its bound. `--quick` does few rounds, to see whether it runs; `--sessions=6000` measures nothing
// but 10 KB in process, with so many sessions that take turns.
"use strict";

const { parseArgs } = require("node:util");

const { startRedis } = require("../test/support/servers");
const { SIZES } = require("./contenders");
const inProcess = require("./in-process");
const overHttp = require("./over-http");

const { values: options } = parseArgs({ options: { quick: { type: "boolean" }, sessions: { type: "string" } } });
const ROUNDS = options.quick ? 3 : 15;

const median = (values) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];

let missed = 0;

function report(what, measured, bound) {
  const [bare, upstream, ours] = [0, 1, 2].map((index) => median(measured.map((times) => times[index])));
  const added = (index) => median(measured.map((times) => times[index] - times[0]));
  const ratio = added(2) / added(1);
  const verdict = ratio <= bound ? "met" : "MISSED";
  if (ratio > bound) missed++;
  const row = [what, bare, upstream, ours, added(1), added(2)];
  const cells = row.map((cell) => (typeof cell === "number" ? cell.toFixed(1) : cell));
  console.log(`| ${cells.join(" | ")} | **${ratio.toFixed(2)}** | ≤ ${bound.toFixed(2)} ${verdict} |`);
}

async function main() {
  console.log(`Node.js ${process.version}, express-session ${require("express-session/package.json").version}, ${ROUNDS} rounds`);
  console.log("\n| µs a request, of the processor's time | bare | express-session | ours | express-session adds | ours adds | ratio | bound |");
  console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
  const bounds = { "230 bytes": 1 / 2, "10 KB": 1 / 3 };
  if (options.sessions) {
    const measured = await inProcess(SIZES["10 KB"], ROUNDS, Number(options.sessions));
    report(`in process, memory, 10 KB, ${options.sessions} sessions`, measured, bounds["10 KB"]);
    process.exit(missed ? 1 : 0);
  }
  for (const [size, bytes] of Object.entries(SIZES)) {
    report(`in process, memory, ${size}`, await inProcess(bytes, ROUNDS), bounds[size]);
    report(`over HTTP, memory, ${size}`, await overHttp(bytes, ROUNDS), bounds[size]);
  }
  const redis = await startRedis();
  try {
    report("over HTTP, Redis, 230 bytes", await overHttp(SIZES["230 bytes"], ROUNDS, redis.url), 0.6);
  } finally {
    await redis.stop();
  }
  process.exit(missed ? 1 : 0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

// Holds our behaviour against express-session's.
"use strict";

const assert = require("node:assert/strict");

const express = require("express-session");
const ours = require("../..");
const { run } = require("./scenario");

/**
 * The body and the headers but for those that frame the body. express-session sends a body in pieces when it saves, ours in one
 * piece, so that Node can say how long it is: the deviation `respond-before-save`.
 */
function withoutFraming(answer) {
  const at = answer.indexOf("\r\n\r\n");
  if (at === -1) return answer;
  const lines = answer.slice(0, at).split("\r\n");
  const chunked = lines.includes("Transfer-Encoding: chunked");
  const head = lines.filter((line) => !/^(Transfer-Encoding|Content-Length): /.test(line));
  return { head, body: chunked ? joinChunks(answer.slice(at + 4)) : answer.slice(at + 4) };
}

function joinChunks(body) {
  let joined = "";
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf("\r\n", at);
    const length = parseInt(body.slice(at, end), 16);
    joined += body.slice(end + 2, end + 2 + length);
    at = end + 2 + length + 2;
  }
  return joined;
}

/** A length that we say and express-session does not has to be the right one. */
function checkFraming(answer, upstreams) {
  const length = /\r\nContent-Length: (\d+)\r\n/.exec(answer)?.[1];
  if (length === undefined || upstreams.includes(`\r\nContent-Length: ${length}\r\n`)) return;
  const { body } = withoutFraming(answer);
  if (body !== "") assert.equal(Number(length), Buffer.byteLength(body, "latin1"));
}

/** A store that fails once the handler has answered: what becomes of the response is a deviation. */
const savingFails = ({ store: { faults = {} } = {} }) =>
  ["set", "touch", "destroy"].some((name) => ["error", "throws"].includes(faults[name]));

/**
 * With everything of upstream's back, nothing differs, byte for byte. Without, nothing but the framing; or what the
 * scenario's `deviation` shows, and then that name alone brings upstream's behaviour back.
 */
exports.compare = async function (scenario) {
  const upstream = await run(express, scenario);
  assert.deepEqual(await run(ours, scenario, true), upstream, "with upstream: true");

  const { deviation } = scenario;
  const name = deviation?.name ?? (savingFails(scenario) ? "respond-before-save" : undefined);
  if (name) {
    const withIt = await run(ours, scenario, [name, "respond-before-save"]);
    assert.deepEqual(withIt, upstream, `with upstream: ["${name}"]`);
  }
  if (deviation) {
    deviation.shows(await run(ours, scenario), upstream);
  } else if (!name) {
    const { events, answers } = await run(ours, scenario);
    assert.deepEqual(events, upstream.events);
    assert.deepEqual(answers.map(withoutFraming), upstream.answers.map(withoutFraming));
    answers.forEach((answer, at) => checkFraming(answer, upstream.answers[at]));
  }
};

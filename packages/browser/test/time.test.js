import assert from "node:assert/strict";
import { test } from "node:test";

import { ABSOLUTE, CALM, DOUBT, IDLE, inWords, phaseAt, reasonOf } from "../src/time.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const report = (idle, absolute, timeout = 30 * MINUTE) => ({
  state: "live",
  now: 0,
  idle_deadline: Math.min(idle, absolute),
  absolute_deadline: absolute,
  idle_timeout: timeout,
});
const phase = (report, now, idle = 2 * MINUTE, absolute = 5 * MINUTE) => phaseAt(report, now, idle, absolute);

test("without a session nothing is said", () => {
  assert.equal(phase(null, 0), CALM);
});

test("the idle warning begins when so much is left and lasts until the deadline", () => {
  const session = report(30 * MINUTE, 720 * MINUTE);
  assert.equal(phase(session, 28 * MINUTE - 1), CALM);
  assert.equal(phase(session, 28 * MINUTE), IDLE);
  assert.equal(phase(session, 30 * MINUTE - 1), IDLE);
  assert.equal(phase(session, 30 * MINUTE), DOUBT);
});

test("where the absolute deadline comes first, it is what is warned of", () => {
  const session = report(30 * MINUTE, 20 * MINUTE);
  assert.equal(phase(session, 15 * MINUTE - 1), CALM);
  assert.equal(phase(session, 15 * MINUTE), ABSOLUTE);
  assert.equal(phase(session, 20 * MINUTE), DOUBT);
});

test("however short a warning a page asks for, half a minute is given", () => {
  const session = report(30 * MINUTE, 720 * MINUTE);
  assert.equal(phase(session, 30 * MINUTE - 30 * SECOND, SECOND), IDLE);
  assert.equal(phase(session, 30 * MINUTE - 30 * SECOND - 1, SECOND), CALM);
});

test("a short session does not begin with a warning", () => {
  const session = report(MINUTE, 720 * MINUTE, MINUTE);
  assert.equal(phase(session, 0), CALM);
  assert.equal(phase(session, 30 * SECOND), IDLE);
});

test("a server that no longer knows leaves the reason to what was known", () => {
  const idle = report(30 * MINUTE, 720 * MINUTE);
  const absolute = report(30 * MINUTE, 20 * MINUTE);
  assert.equal(reasonOf("signed-out", idle, 31 * MINUTE), "signed-out");
  assert.equal(reasonOf("no-cookie", idle, 29 * MINUTE), "ended");
  assert.equal(reasonOf("no-cookie", idle, 30 * MINUTE), "idle-timeout");
  assert.equal(reasonOf("undecided", absolute, 20 * MINUTE), "absolute-timeout");
  assert.equal(reasonOf("no-cookie", null, 0), "ended");
});

test("spans are in words of the language, rounded up", () => {
  assert.equal(inWords(1, "en"), "1 second");
  assert.equal(inWords(59_001, "en"), "1 minute");
  assert.equal(inWords(65_000, "en"), "1 minute 5 seconds");
  assert.equal(inWords(120_000, "en"), "2 minutes");
  assert.equal(inWords(65_000, "de"), "1 Minute 5 Sekunden");
  assert.match(inWords(65_000, undefined), /1.*5/);
});

// Counts the session down and says so when it is over. Every page is whole without this script;
// with it, a page that was left open does not go on showing what its session no longer allows.
"use strict";

const POLL_EVERY_MS = 20_000;
const WARN_BELOW_S = 60;

const page = document.body.dataset;
const signedIn = "signedIn" in page;
const hasSession = "idle" in page;

let ends = hasSession ? endsIn(Number(page.idle), Number(page.absolute)) : null;
let asking = false;

function endsIn(idle, absolute) {
  return { idle: Date.now() + idle * 1000, absolute: Date.now() + absolute * 1000 };
}

function secondsLeft(which) {
  return Math.max(0, Math.ceil((ends[which] - Date.now()) / 1000));
}

// The words of times.rs.
function inWords(seconds) {
  const [minute, hour, day] = [60, 3600, 86400];
  const whole = (unit) => Math.floor(seconds / unit);
  if (seconds < minute) return `${seconds} s`;
  if (seconds < hour) return `${whole(minute)} min ${seconds % minute} s`;
  if (seconds < day) return `${whole(hour)} h ${Math.floor((seconds % hour) / minute)} min`;
  return `${whole(day)} d ${Math.floor((seconds % day) / hour)} h`;
}

function show() {
  for (const which of ["idle", "absolute"]) {
    const left = secondsLeft(which);
    for (const words of document.querySelectorAll(`[data-left="${which}"]`)) words.textContent = inWords(left);
    for (const bar of document.querySelectorAll(`[data-bar="${which}"]`)) bar.value = left;
  }
  const left = secondsLeft("idle");
  const byActivity = ends.idle < ends.absolute;
  const warning = document.getElementById("warning");
  if (warning.hidden !== left > WARN_BELOW_S) {
    warning.hidden = left > WARN_BELOW_S;
    document.getElementById("stay").hidden = !byActivity;
    document.getElementById("warning-text").textContent = warning.hidden ? ""
      : byActivity ? "Are you still there? Your session is about to end."
      : "Your session is about to reach its time limit.";
  }
  document.getElementById("warning-left").textContent = inWords(left);
}

function reason() {
  if (Date.now() < ends.idle) return "ended"; // before its time: from another device
  return ends.idle < ends.absolute ? "idle" : "absolute";
}

function leave() {
  clearInterval(ticking);
  location.assign(`${signedIn ? "/sign-in" : "/"}?reason=${reason()}`);
}

// Asking is no activity, so this keeps no session alive.
async function ask() {
  if (asking) return;
  asking = true;
  try {
    const response = await fetch("/api/session", { cache: "no-store" });
    if (!response.ok) return; // the server has trouble; it is asked again later
    const session = await response.json();
    if (session.signed_in && !signedIn) return location.reload(); // signed in in another tab
    if (session.idle_expires_in === null || session.signed_in !== signedIn) return leave();
    ends = endsIn(session.idle_expires_in, session.absolute_expires_in);
    show();
  } catch {
    // Offline: asked again later.
  } finally {
    asking = false;
  }
}

function tick() {
  show();
  if (secondsLeft("idle") === 0) ask();
}

const ticking = hasSession ? setInterval(tick, 1000) : 0;
if (hasSession) {
  setInterval(ask, POLL_EVERY_MS);
  // A page that comes back from another tab, from sleep or from the history may be long out of date.
  addEventListener("focus", ask);
  addEventListener("pageshow", (event) => event.persisted && ask());
}

// The counter without a new page. If that fails the form is sent as it would be without a script.
const counter = document.getElementById("count-form");
counter?.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const response = await fetch("/api/count", { method: "POST" });
    if (!response.ok) throw new Error(response.statusText);
    const { count } = await response.json();
    const shown = document.getElementById("count");
    // Answers may overtake each other; the count only goes up.
    shown.textContent = Math.max(count, Number(shown.textContent));
    if (hasSession) ask();
    else location.reload(); // to show the session that began with it
  } catch {
    counter.submit();
  }
});

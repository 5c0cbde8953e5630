// Counts the session's bars down, and counts without a new page. Every page is whole without this script. That the
// session is about to end is told by <tenure-session-timeout>, which hides the page when it has.

import "/tenure-session-timeout.js";

const timeout = document.querySelector("tenure-session-timeout");
const signedIn = "signedIn" in document.body.dataset;
const hasSession = timeout.hasAttribute("requires-session");

let ends = null;

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
  if (!ends) return;
  for (const which of ["idle", "absolute"]) {
    const left = secondsLeft(which);
    for (const words of document.querySelectorAll(`[data-left="${which}"]`)) words.textContent = inWords(left);
    for (const bar of document.querySelectorAll(`[data-bar="${which}"]`)) bar.value = left;
  }
}

timeout.addEventListener("tenure-session-status", ({ detail: report }) => {
  if (report.state !== "live") return;
  if (report.signed_in && !signedIn) return location.reload(); // signed in in another tab
  // The server's clock counts, not this computer's.
  const ahead = report.now - Date.now();
  ends = { idle: report.idle_deadline - ahead, absolute: report.absolute_deadline - ahead };
  show();
});
setInterval(show, 1000);

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
    if (hasSession) timeout.check();
    else location.reload(); // to show the session that began with it
  } catch {
    counter.submit();
  }
});

// When to say what: arithmetic on a report and a moment, without a clock, a page or a network.

/**
 * What the server says of a session. Times are milliseconds since the Unix epoch.
 * @typedef {object} Report
 * @property {"live" | "none"} state
 * @property {number} now The server's time.
 * @property {number} [idle_deadline]
 * @property {number} [absolute_deadline]
 * @property {number} [idle_timeout]
 * @property {string | null} [user] A mark that stands for the signed-in user.
 * @property {string} [reason] Why there is none.
 */

/** Nothing to be said. */
export const CALM = "";
/** The idle deadline is near: one press gives more time. */
export const IDLE = "idle";
/** The absolute deadline is near: nothing gives more time. */
export const ABSOLUTE = "absolute";
/** By what is known here it is over, but the server has not said so. */
export const DOUBT = "doubt";
/** It is over. */
export const END = "end";

// Here and not where they are used, for so the bundler puts them in place, and the bundle has no room to spare.
export const SECOND = 1_000;
export const ANSWER_WITHIN = 10_000;
/** How often to ask while a dialog is open, so that activity elsewhere closes it. */
export const ASK_IN_DIALOG = 10_000;
/** How new a report has to be to warn by it. */
export const FRESH = 3_000;

// WCAG 2.2.1 asks for 20 seconds to answer a warning in; up to 10 pass before it while the server is asked whether
// it is still due.
const SHORTEST_WARNING = 30_000;

/**
 * @param {Report | null} report The last one of a session that lives.
 * @param {number} now By the server's clock.
 * @param {number} warnIdle How long before the idle deadline to warn, in milliseconds.
 * @param {number} warnAbsolute The same before the absolute one.
 */
export function phaseAt(report, now, warnIdle, warnAbsolute) {
  if (!report) return CALM;
  const left = report.idle_deadline - now;
  if (left <= 0) return DOUBT;
  const isIdle = report.idle_deadline < report.absolute_deadline;
  const warning = Math.max(SHORTEST_WARNING, isIdle ? warnIdle : warnAbsolute);
  // A session of a minute must not begin with a warning.
  if (left > (isIdle ? Math.min(warning, report.idle_timeout / 2) : warning)) return CALM;
  return isIdle ? IDLE : ABSOLUTE;
}

/**
 * Why a session that is known by `report` is over.
 * @param {string} reason The server's, which may not know: another request was told, and its cookie is gone since.
 * @param {Report | null} report
 * @param {number} now
 */
export function reasonOf(reason, report, now) {
  if (reason !== "no-cookie" && reason !== "undecided") return reason;
  if (!report || now < report.idle_deadline) return "ended";
  return report.idle_deadline < report.absolute_deadline ? "idle-timeout" : "absolute-timeout";
}

/**
 * A span in words of the page's language, such as "1 minute 5 seconds".
 * @param {number} millis
 * @param {string} lang
 */
export function inWords(millis, lang) {
  const seconds = Math.ceil(millis / 1000);
  const inUnit = (number, unit) =>
    number ? [new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "long" }).format(number)] : [];
  return [...inUnit((seconds / 60) | 0, "minute"), ...inUnit(seconds % 60, "second")].join(" ");
}

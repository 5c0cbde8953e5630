// <tenure-session-timeout>: tells the page's user how their session's time goes on.
//
// The server's report is what counts. This page only counts down between two reports, and asks again before it says
// anything. Asking is no activity; only `extend` is.

import { ABSOLUTE, CALM, DOUBT, END, IDLE, inWords, phaseAt, reasonOf } from "./time.js";
import { ANSWER_WITHIN, ASK_IN_DIALOG, FRESH, SECOND } from "./time.js";
import { STYLE, VEIL } from "./style.js";
import { TEXTS } from "./texts.js";

/** This computer’s. */
const clock = Date.now;
/** When somebody comes back to a page, and when one leaves it. */
const COMINGS_AND_GOINGS = ["focus", "online", "visibilitychange", "pageshow", "pagehide"];

const sheet = (/** @type {string} */ text) => {
  // Neither an inline style nor one that a Content-Security-Policy has to allow.
  const made = new CSSStyleSheet();
  made.replaceSync(text);
  return made;
};
const style = sheet(STYLE);
const veil = sheet(VEIL);

/** Hides the page, or shows it again. */
const hide = (isHidden) => {
  const sheets = document.adoptedStyleSheets;
  const at = sheets.indexOf(veil);
  if (at < 0) {
    if (isHidden) sheets.push(veil);
  } else if (!isHidden) {
    sheets.splice(at, 1);
  }
};

/** Makes an element. Everything is text, so there is nothing to inject markup into. */
const make = (tag, attributes, ...children) => {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...children);
  return made;
};

class SessionTimeout extends HTMLElement {
  /** @type {import("./time.js").Report | null} The last one that said "live". */
  #report = null;
  /** @type {string | null | undefined} Whose page this is. */
  #user;
  /** When the request of the newest report was sent, by this computer's clock, which all its tabs share. */
  #sent = 0;
  #tried = 0;
  #asking = 0;
  #offset = 0;
  /** Set when the page is put aside: whatever happened since, only the server knows. */
  #doubtful;
  /** The absolute deadline whose warning was closed. */
  #dismissed = 0;
  /** Why the session is over. */
  #ended = "";
  #shown = CALM;
  /** Whether that is shown here: what the page prevented is left to it. */
  #isOurs;
  /** How many of the moments have passed at which a screen reader is told what is left. */
  #told = 0;
  #dialog = make("dialog", { role: "alertdialog", part: "dialog", "aria-labelledby": "t", "aria-describedby": "d" });
  #timer = make("b", { role: "timer" });
  #status = make("p", { role: "status" });
  #interval;
  /** @type {BroadcastChannel} */
  #channel;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    root.append(this.#dialog);
    // The key, and the gesture that stands for it on a phone.
    this.#dialog.onkeydown = this.#dialog.oncancel = (event) => {
      // Whoever presses a key is there. To close the warning and let the session end would be a trap.
      if ((event.key ?? "Escape") === "Escape") {
        event.preventDefault();
        this.#dialog.querySelector("button")?.click();
      }
    };
  }

  connectedCallback() {
    for (const type of COMINGS_AND_GOINGS) addEventListener(type, this);
    this.#channel = new BroadcastChannel("tenure" + this.#url(""));
    this.#channel.onmessage = ({ data }) => this.#learn(...data);
    this.#interval = setInterval(() => this.#tick(), SECOND);
    this.check();
    this.#show(true);
  }

  disconnectedCallback() {
    for (const type of COMINGS_AND_GOINGS) removeEventListener(type, this);
    this.#channel.close();
    clearInterval(this.#interval);
    hide(false);
  }

  handleEvent({ type, persisted }) {
    if (type === "pagehide") {
      // What goes into the back/forward cache goes there veiled, and no answer that is still on its way unveils it.
      this.#doubtful = persisted && this.#report;
      hide(this.#doubtful);
      this.#sent = clock();
    } else if (!document.hidden && (persisted ?? true)) {
      this.check();
    }
  }

  get #now() {
    return clock() + this.#offset;
  }

  /** Asks the server how the session stands. No activity. Resolves to whether it was reached. */
  check() {
    return this.#ask("status", "GET");
  }

  /** Says "I am still here", which is activity. Resolves to whether the server was reached. */
  extend() {
    return this.#ask("extend");
  }

  /** Signs out, in all tabs. Resolves to whether the server was reached. */
  signOut() {
    return this.#ask("sign-out");
  }

  async #ask(path, method = "POST") {
    const sent = (this.#tried = clock());
    let report;
    this.#asking++;
    try {
      const response = await fetch(this.#url(path), {
        method,
        signal: AbortSignal.timeout(ANSWER_WITHIN),
      });
      if (response.ok) report = await response.json();
    } catch {
      // No network, or no answer of ours: that says nothing of the session.
    }
    this.#asking--;
    if (!this.isConnected) return false;
    if (report) {
      this.#channel.postMessage([report, sent]);
      this.#learn(report, sent);
    } else {
      this.#show(true);
      this.#say("failed");
    }
    return !!report;
  }

  #learn(report, sent) {
    // An answer that was overtaken by a later question's is out of date.
    if (sent < this.#sent && this.#sent <= clock()) return;
    const isLive = report.state === "live";
    if (this.#ended) {
      // Somebody has signed in again: there is something to be seen here once more.
      if (isLive && (report.user || !this.#user)) location.reload();
      return;
    }
    if (report.reason === "undecided" && this.#phase() !== DOUBT) return;
    const reason = reasonOf(report.reason, this.#report, this.#now);
    this.#sent = sent;
    this.#offset = report.now - sent;
    this.#doubtful = null;
    if (!isLive) {
      if (this.#report || this.hasAttribute("requires-session")) this.#ended = reason;
    } else if (this.#user && this.#user !== report.user) {
      this.#ended = "ended";
    } else {
      this.#report = report;
      this.#user ??= report.user;
    }
    this.#tell("status", report);
    this.#show();
    this.#say("");
  }

  #tick() {
    const every = this.#shown === CALM ? this.#millis("poll", 60) : ASK_IN_DIALOG;
    if (this.#age >= every && !document.hidden && this.#report && !this.#ended) this.check();
    this.#show();
  }

  #phase() {
    if (this.#ended) return END;
    if (this.#doubtful) return DOUBT;
    const phase = phaseAt(this.#report, this.#now, this.#millis("warn", 120), this.#millis("warn-absolute", 300));
    return phase === ABSOLUTE && this.#dismissed === this.#report.absolute_deadline ? CALM : phase;
  }

  /** @param {boolean} [asked] Whether the server is just being asked, or was in vain. */
  #show(asked) {
    const phase = this.#phase();
    hide(phase === DOUBT && (phase !== this.#shown || this.#isOurs));
    if (phase !== this.#shown) {
      // What this page knows may be old; nobody is warned by that before the server was asked. Whether the session
      // ended at its deadline, no answer from before it can tell, however new it is.
      if (phase !== CALM && phase !== END) {
        if (!asked && (phase === DOUBT || this.#age > FRESH)) this.check();
        if (this.#asking) return;
      }
      this.#open(phase);
    } else {
      this.#count();
    }
  }

  #open(phase) {
    this.#shown = phase;
    // Closed first, so that a screen reader reads the new one and the focus goes to its first button.
    this.#dialog.close();
    this.#isOurs = phase !== CALM && this.#tell(phase, this.#ended);
    // Whatever the page shows instead must not be hidden.
    if (!this.#isOurs) return hide(false);
    if (phase === END) {
      // What is not in the document can't be read, printed, searched or come back to.
      document.body.replaceChildren(this);
      document.title = this.#text("end-title");
    }
    const user = this.#user;
    const first = {
      [IDLE]: [user ? "stay" : "continue", () => this.extend()],
      [ABSOLUTE]: [
        "close",
        () => {
          this.#dismissed = this.#report.absolute_deadline;
          this.#show();
        },
      ],
      [DOUBT]: ["retry", () => this.check()],
      [END]:
        user || !this.#report
          ? ["sign-in", this.getAttribute("sign-in-url") ?? "/sign-in"]
          : // This very page, anew.
            ["continue", ""],
    }[phase];
    /** A link to where it says, or a button that does it. */
    const action = (name, does) => {
      const [tag, property] = does.call ? ["button", "onclick"] : ["a", "href"];
      return Object.assign(make(tag, { part: "button " + name }, this.#text(name)), { [property]: does });
    };
    const actions = make("div", {}, action(...first));
    if (user && (phase === IDLE || phase === ABSOLUTE)) actions.append(action("sign-out", () => this.signOut()));
    actions.firstChild.autofocus = true;
    const [before, ...after] = this.#text(this.#ended || phase).split("{time}");
    this.#dialog.className = this.#ended || phase === DOUBT ? "over" : "";
    this.#dialog.replaceChildren(
      make("h1", { id: "t" }, this.#text(phase + "-title")),
      make("p", { id: "d" }, before, ...after.flatMap((text) => [this.#timer, text])),
      this.#status,
      actions,
    );
    // The dialog itself says how much is left when it opens.
    this.#told = Infinity;
    this.#count();
    this.#dialog.showModal();
  }

  #count() {
    if (this.#shown !== IDLE && this.#shown !== ABSOLUTE) return;
    const left = this.#report.idle_deadline - this.#now;
    const words = inWords(left, this.closest("[lang]")?.lang || undefined);
    this.#timer.textContent = words;
    // Not every second: that would drown everything else.
    const told = [60_000, 30_000, 10_000].filter((moment) => left <= moment).length;
    if (told > this.#told) this.#say("left", words);
    this.#told = told;
  }

  #say(name, time) {
    this.#status.className = time ? "unseen" : "";
    this.#status.textContent = this.#text(name).replace("{time}", time);
  }

  /** Tells the page. Says whether what comes next is to be done: the page may show something of its own instead. */
  #tell(name, detail) {
    return this.dispatchEvent(
      new CustomEvent("tenure-session-" + name, { cancelable: true, detail }),
    );
  }

  #text(name) {
    return this.getAttribute("text-" + name) ?? TEXTS[name] ?? "";
  }

  #millis(name, otherwise) {
    return (+this.getAttribute(name) || otherwise) * SECOND;
  }

  #url(path) {
    return (this.getAttribute("base") ?? "/session") + "/" + path;
  }

  /** How old what is known here is, or the last attempt at something newer. */
  get #age() {
    return clock() - Math.max(this.#sent, this.#tried);
  }
}

customElements.define("tenure-session-timeout", SessionTimeout);

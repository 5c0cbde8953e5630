// A session of the engine as the application sees it: a plain object with a few methods that do not show.
"use strict";

const { Known, jsonOf } = require("./changes");
const { ownerOf } = require("./owner");
const { SessionError, orThrow } = require("./session-error");
const { timesOf } = require("./times");
const { Turn } = require("./turns");

/** How often another request may be faster before an update is given up. */
const MOST_ATTEMPTS = 100;

const DROPPED = {
  message: "the session was ended or renewed by another request, so what this one wrote was dropped",
  code: "EDROPPED",
  status: 409,
  text: "Your session has ended in the meantime. Please try again.",
};

const CONTENDED = {
  message: `other requests changed the same value ${MOST_ATTEMPTS} times in a row; try again`,
  code: "ECONTENDED",
  status: 503,
  text: "We can't reach your session right now. Please try again in a moment.",
  retryAfter: 1,
};

class EngineSession {
  #visit;
  #turns;
  #known = new Known();
  #hasFailed = false;

  constructor(visit, turns) {
    this.#visit = visit;
    this.#turns = turns;
    this.#adopt();
  }

  get id() {
    return this.#visit.info().id ?? undefined;
  }

  get owner() {
    return this.#visit.info().owner ?? undefined;
  }

  get info() {
    const info = this.#visit.info();
    return {
      status: info.status,
      id: info.id ?? undefined,
      owner: info.owner ?? undefined,
      ...timesOf(info),
      remembered: info.remembered,
      assuranceLevel: info.assuranceLevel ?? undefined,
    };
  }

  async signIn(owner, { level = 1, remember = false } = {}) {
    const text = ownerOf(owner);
    this.#handOver();
    orThrow(this.#visit.signIn(text, levelOf(level)));
    if (remember) this.#visit.remember();
    await this.#keep();
  }

  async stepUp(level = 1) {
    this.#handOver();
    this.#visit.stepUp(levelOf(level));
    await this.#keep();
  }

  authenticatedWithin(millis, level = 1) {
    if (typeof millis !== "number" || !(millis >= 0)) throw new TypeError("authenticatedWithin takes a time in milliseconds");
    return this.#visit.authenticatedWithin(millis, levelOf(level));
  }

  async remember() {
    this.#handOver();
    this.#visit.remember();
    await this.#keep();
  }

  renew(callback) {
    return called(callback, async () => {
      this.#handOver();
      this.#visit.renew();
      await this.#keep();
    });
  }

  regenerate(callback) {
    return called(callback, async () => {
      this.#empty();
      this.#handOver();
      this.#visit.clear();
      this.#visit.renew();
      await this.#keep();
    });
  }

  signOut(callback) {
    return called(callback, () => this.#end("signOut"));
  }

  destroy(callback) {
    return called(callback, () => this.#end("destroy"));
  }

  save(callback) {
    return called(callback, async () => {
      this.#handOver();
      return this.#saved();
    });
  }

  async update(name, change) {
    if (RESERVED.includes(name)) throw reserved(name);
    if (typeof change !== "function") throw new TypeError("update takes a name and a function from the value that is there to the new one");
    const turn = new Turn(this.#turns);
    try {
      await turn.takeIfOthersDo(this.id);
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        this.#handOver();
        const seen = this.#visit.value(name);
        let value = change(seen == null ? undefined : JSON.parse(seen));
        if (typeof value?.then === "function") value = await turn.during(value);
        const json = jsonOf(name, value);
        const replacement = orThrow(this.#visit.replace(name, seen, json));
        const isKept = await this.#saved();
        if (replacement.happened) {
          if (!isKept) throw dropped();
          return json === undefined ? undefined : value;
        }
        await turn.take(this.id);
      }
    } finally {
      turn.end();
    }
    throw new SessionError(CONTENDED);
  }

  async csrfToken() {
    this.#handOver();
    const outcome = await this.#visit.csrfToken();
    const token = this.#noting(() => orThrow(outcome));
    this.#adopt();
    return token;
  }

  /** Whether the handler was told last that its session could not be saved. */
  static hasFailed(session) {
    return session.#hasFailed;
  }

  /** What the request has changed is handed to the engine. */
  static handOver(session) {
    session.#handOver();
  }

  #handOver() {
    this.#noting(() => {
      const changes = this.#known.changesOf(this);
      if (!changes) return;
      const refusal = this.#visit.write(changes.set, changes.removed);
      if (!refusal) return this.#known.settle(changes);
      // What was refused is not taken for saved the next time, and what was written before it can be undone.
      this.#known.settleAs(changes, (name) => this.#visit.value(name));
      orThrow(refusal);
    });
  }

  #noting(act) {
    try {
      return act();
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  async #saved() {
    const outcome = await this.#visit.save();
    const isKept = this.#noting(() => orThrow(outcome));
    this.#hasFailed = false;
    this.#adopt();
    return isKept;
  }

  /** Saves what must not be lost without a word. */
  async #keep() {
    if (!(await this.#saved())) throw dropped();
  }

  #empty() {
    for (const name of Object.keys(this)) delete this[name];
  }

  async #end(how) {
    // What was written before goes with it, and not into a new session.
    this.#empty();
    this.#known = new Known();
    this.#visit[how]();
    await this.#saved();
  }

  /** Shows the data as the engine has it, with what other requests wrote. */
  #adopt() {
    const data = JSON.parse(this.#visit.data());
    // Another program may have stored what is a method here. It stays in the store.
    for (const name of RESERVED) delete data[name];
    this.#known.adopt(
      data,
      this,
      (name, value) => define(this, name, value),
      (name) => delete this[name],
    );
  }
}

// A stored `__proto__` must be a value like any other. Elsewhere an assignment does the same, and is quicker.
function define(session, name, value) {
  if (name !== "__proto__") session[name] = value;
  else Object.defineProperty(session, name, { configurable: true, enumerable: true, value, writable: true });
}

const dropped = () => new SessionError(DROPPED);

function called(callback, act) {
  const done = act();
  if (typeof callback !== "function") return done;
  done.then(
    () => callback(),
    (error) => callback(error),
  );
  return undefined;
}

function levelOf(level) {
  if (level === 1 || level === 2 || level === 3) return level;
  throw new TypeError("an assurance level is 1, 2 or 3 (NIST SP 800-63B)");
}

const RESERVED = [...Object.getOwnPropertyNames(EngineSession.prototype).filter((name) => name !== "constructor"), "cookie"];

const ADVICE = {
  id: "the engine gives it",
  owner: "signIn sets it",
  cookie: "the cookie is as the options of the engine say, and remember() makes it outlive the browser",
};

function reserved(name) {
  const advice = ADVICE[name] ?? "it is a method";
  return new TypeError(`req.session.${name} can't be set: ${advice}; for a value of your own take another name`);
}

function noCookie() {
  throw new TypeError(`there is no req.session.cookie: ${ADVICE.cookie}`);
}

// Assigning to a method would put a value of that name into the session, or be ignored without a word.
for (const name of RESERVED) {
  const { value, get = () => value } = Object.getOwnPropertyDescriptor(EngineSession.prototype, name) ?? { get: noCookie };
  const set = () => {
    throw reserved(name);
  };
  Object.defineProperty(EngineSession.prototype, name, { configurable: true, enumerable: false, get, set });
}

module.exports = EngineSession;

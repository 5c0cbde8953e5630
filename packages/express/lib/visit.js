// One request's dealings with its session.
"use strict";

const debug = require("debug")("express-session");
const onHeaders = require("on-headers");

const createSession = require("./create-session");
const DriftingCookie = require("./drifting-cookie");
const { checkBody, discard, endAfter } = require("./held-response");
const loadSession = require("./load-session");
const isSecure = require("./secure-request");
const { announceHeaders } = require("./response-headers");
const sidCookie = require("./sid-cookie");
const Snapshot = require("./snapshot");
const { endAround } = require("./split-response");

/** Where the response is: the handler works, the store does, it was ended, or the session could not be saved. */
const OPEN = "open";
const SAVING = "saving";
const ENDED = "ended";
const FAILED = "failed";

const NO_COOKIE = Symbol("no cookie");

class Visit {
  #settings;
  #req;
  #res;
  #next;
  #secrets;
  /** The session id that the request bore. */
  #cookieId;
  /** The session as it came, and as it was last saved. */
  #originalId;
  #original;
  #saved;
  #touched = false;
  #response = OPEN;
  /** Whether the session was changed, while nothing can change it further. */
  #modified;
  /** The Set-Cookie header of a response that waits. */
  #decidedCookie;

  constructor(settings, secrets, req, res, next) {
    this.#settings = settings;
    this.#secrets = secrets;
    this.#req = req;
    this.#res = res;
    this.#next = next;

    req.sessionStore = settings.store;
    this.#cookieId = req.sessionID = sidCookie.read(req, settings.name, secrets);

    announceHeaders(res);
    onHeaders(res, () => this.#sendCookie());
    const original = { end: res.end, write: res.write };
    res.end = (...body) => this.#end(original, body);
  }

  /** Loads the session or makes one, and goes on. `generate` makes one. */
  begin(generate) {
    const req = this.#req;
    const next = this.#next;
    if (!req.sessionID) {
      debug("no SID sent, generating session");
      this.#generate(generate);
      next();
      return;
    }

    debug("fetching");
    const { store } = this.#settings;
    const goOn = (begin) => {
      try {
        begin();
      } catch (cause) {
        next(cause);
        return;
      }
      next();
    };
    const begin = () => {
      debug("no session found");
      this.#generate(generate);
    };
    const found = (record, cookie) => goOn(record ? () => this.#copy(record, cookie) : begin);
    if (loadSession.load(store, req.sessionID, found)) return;

    store.get(req.sessionID, (error, data) => {
      if (error && error.code !== "ENOENT") {
        debug("the store failed to get the session");
        next(error);
        return;
      }
      goOn(error || !data ? begin : () => this.#inflate(data));
    });
  }

  #generate(generate) {
    const req = this.#req;
    generate(req);
    this.#originalId = req.sessionID;
    this.#original = new Snapshot(req.session);
    this.#follow(req.session);
  }

  #inflate(data) {
    debug("session found");
    createSession(this.#settings.store, this.#req, data);
    this.#begun(new Snapshot(data));
  }

  #copy(record, cookie) {
    debug("session found");
    loadSession.create(this.#req, record, cookie);
    this.#begun(record.snapshot);
  }

  #begun(original) {
    const req = this.#req;
    if (this.#settings.upstream.driftingMaxAge) DriftingCookie.from(req.session.cookie);
    this.#originalId = req.sessionID;
    this.#original = original;
    if (!this.#settings.resave) this.#saved = this.#original;
    this.#follow(req.session);
  }

  /** Hears of what is saved, and follows the session that a reload puts in this one's place. */
  #follow(session) {
    const visit = this;
    const { reload, save } = session;

    define(session, "reload", function (callback) {
      debug("reloading");
      reload.call(this, function () {
        const { session: current } = visit.#req;
        if (current !== session) visit.#follow(current);
        callback.apply(this, arguments);
      });
    });
    define(session, "save", function () {
      debug("saving");
      visit.#saved = new Snapshot(this);
      save.apply(this, arguments);
    });
  }

  #end(original, body) {
    const res = this.#res;
    if (this.#response === SAVING || this.#response === ENDED) return false;
    if (this.#response === FAILED) return original.end.apply(res, body);

    const { respondBeforeSave } = this.#settings.upstream;
    if (!respondBeforeSave) checkBody(res, original, body);
    this.#response = SAVING;
    try {
      const callStore = this.#storeCall();
      if (!callStore) {
        this.#response = ENDED;
        return original.end.apply(res, body);
      }
      if (respondBeforeSave) return endAround(res, original, body, callStore, this.#next);
      return endAfter(res, original, body, (done) => callStore((error) => this.#answered(error, done)), {
        willWait: () => this.#decideCookie(),
        failed: (error, { sent }) => {
          if (!sent) this.#response = FAILED;
          setImmediate(this.#next, error);
        },
      });
    } catch (error) {
      if (!respondBeforeSave && !res.headersSent) this.#makeRoom();
      throw error;
    } finally {
      this.#modified = undefined;
    }
  }

  /** For the answer to an error that ending the response threw. */
  #makeRoom() {
    discard(this.#res);
    this.#response = FAILED;
  }

  #answered(error, done) {
    if (this.#response === SAVING) this.#response = ENDED;
    done(error);
  }

  /** What the store has to do before the response may go: nothing, or a call with a callback. */
  #storeCall() {
    const req = this.#req;
    const { store, storeTouches, unsetDestroy } = this.#settings;
    if (req.sessionID && unsetDestroy && (req.session === null || req.session === undefined)) {
      debug("destroying");
      return (done) => store.destroy(req.sessionID, done);
    }
    if (!req.session) {
      debug("no session");
      return undefined;
    }

    this.#touch();
    if (typeof req.sessionID !== "string") {
      debug("session ignored because of bogus req.sessionID");
      return undefined;
    }
    this.#modified = this.#isModified();
    if (this.#mustSave()) return (done) => req.session.save(done);
    if (storeTouches && this.#cookieId === req.sessionID) {
      debug("touching");
      return (done) => store.touch(req.sessionID, req.session, done);
    }
    return undefined;
  }

  #touch() {
    if (this.#touched) return;
    this.#req.session.touch();
    this.#touched = true;
  }

  #mustSave() {
    const { session, sessionID } = this.#req;
    return !this.#settings.saveUninitialized && !this.#saved && this.#cookieId !== sessionID
      ? this.#isModified()
      : this.#isUnsaved();
  }

  #isModified() {
    const { session } = this.#req;
    if (this.#modified !== undefined) return this.#modified;
    const isOther = !this.#original.isOf(session);
    return isOther || this.#originalId !== session.id;
  }

  #isUnsaved() {
    const { session } = this.#req;
    if (this.#saved === this.#original) return this.#isModified();
    return this.#originalId !== session.id || !this.#saved?.isOf(session);
  }

  #mustSetCookie() {
    const { session, sessionID } = this.#req;
    if (typeof sessionID !== "string") return false;
    return this.#cookieId !== sessionID
      ? this.#settings.saveUninitialized || this.#isModified()
      : this.#settings.rolling || (session.cookie.expires != null && this.#isModified());
  }

  /** Decides before the handler goes on to change the session of a response that only waits. */
  #decideCookie() {
    if (!this.#res.headersSent) this.#decidedCookie = this.#cookieToSend() ?? NO_COOKIE;
  }

  #sendCookie() {
    if (this.#response === FAILED) return;
    const header = this.#decidedCookie ?? this.#cookieToSend() ?? NO_COOKIE;
    if (header !== NO_COOKIE) sidCookie.append(this.#res, header);
  }

  #cookieToSend() {
    const req = this.#req;
    const { name, trustProxy } = this.#settings;
    if (!req.session || !this.#mustSetCookie()) return undefined;
    if (req.session.cookie.secure && !isSecure(req, trustProxy)) {
      debug("not secured");
      return undefined;
    }
    this.#touch();
    try {
      return sidCookie.format(name, req.sessionID, this.#secrets, req.session.cookie.data);
    } catch (error) {
      setImmediate(this.#next, error);
      return undefined;
    }
  }
}

function define(session, name, value) {
  Object.defineProperty(session, name, { configurable: true, enumerable: false, value, writable: true });
}

module.exports = Visit;

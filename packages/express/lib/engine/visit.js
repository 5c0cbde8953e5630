// One request's dealings with the engine.
"use strict";

const onHeaders = require("on-headers");

const { announceHeaders } = require("../response-headers");
const { admit } = require("./csrf");
const gate = require("./gate");
const EngineSession = require("./session");
const { orThrow } = require("./session-error");
const { Turns } = require("./turns");

/** The addon's part of the visit that a session is of. */
const visits = new WeakMap();
exports.visitOf = (session) => visits.get(session);

const turns = new WeakMap();
function turnsOf(manager) {
  if (!turns.has(manager)) turns.set(manager, new Turns());
  return turns.get(manager);
}

/** Opens a request, gives it its session, and sees to it that the response waits for what it does. */
exports.begin = async function (manager, head, attendance, { req, res, next }) {
  const visit = manager.open(head);
  try {
    await admit(visit, req);
    if (!visit.loadNow()) orThrow(await visit.load(attendance));
  } catch (error) {
    refuse(visit, res, error);
    throw error;
  }
  const session = new EngineSession(visit, turnsOf(manager));
  visits.set(session, visit);
  place(req, session);
  commitBeforeResponse(visit, session, res, next);
  return session;
};

/** The session can't be replaced, for what was in it would seem to be lost and still be there. */
function place(req, session) {
  Object.defineProperty(req, "session", {
    configurable: false,
    enumerable: true,
    get: () => session,
    set() {
      throw new TypeError("req.session can't be replaced or set to null; `await req.session.destroy()` ends it");
    },
  });
}

function commitBeforeResponse(visit, session, res, next) {
  announceHeaders(res);
  onHeaders(res, () => {
    if (visit.setsCookie) addOutgoing(visit, res);
  });

  /** Hands over and saves what the handler did, for an answer of this status. */
  function settle(status, save) {
    // An answer that tells of a failure need not be replaced by another such.
    const tellsOfFailure = status >= 500 || (status >= 400 && EngineSession.hasFailed(session));
    const refused = (error) => {
      if (!tellsOfFailure) throw error;
    };
    try {
      EngineSession.handOver(session);
    } catch (error) {
      visit.giveUp();
      return refused(error);
    }
    return visit.commitNow() ? undefined : save().then(orThrow).catch(refused);
  }

  gate(res, {
    commit: (status) => settle(status, () => visit.commit()),
    commitRest: (status) => settle(status, () => visit.save()),
    failed: next,
  });
}

/** A refused request gets no session, and the removal of a cookie that is dead, if there was one. */
function refuse(visit, res, error) {
  if (!visit.setsCookie || res.headersSent) return;
  for (const [name, value] of addOutgoing(visit, res)) {
    // Express' own handler for errors sends no other headers than these.
    if (error.headers) error.headers[name] = value;
  }
}

function addOutgoing(visit, res) {
  const headers = visit.outgoing(valuesOf(res, "Cache-Control"), valuesOf(res, "Vary")).map(([name, ...values]) => {
    const all = name === "set-cookie" ? [...valuesOf(res, name), ...values] : values;
    return [name, all.length === 1 ? all[0] : all];
  });
  for (const [name, value] of headers) res.setHeader(name, value);
  return headers;
}

function valuesOf(res, name) {
  const value = res.getHeader(name);
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

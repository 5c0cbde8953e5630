// The engine for an application: the middleware, and what can be done with its sessions.
"use strict";

const native = require("../native");
const { requireToken } = require("./csrf");
const { functionsOf, policyOf, secretsOf } = require("./options");
const { ownerOf } = require("./owner");
const OwnerSessions = require("./owner-sessions");
const headTaker = require("./request-head");
const routes = require("./routes");
const { orThrow } = require("./session-error");
const { begin, visitOf } = require("./visit");

const NO_MIDDLEWARE = "this request has no session of the engine: put app.use(sessions) before what asks for it";

module.exports = function (options) {
  const policy = policyOf(options);
  const { onEvent, passive } = functionsOf(options);
  const followed = options.secret instanceof native.FollowedSecrets ? options.secret : null;
  const secrets = followed ? [] : secretsOf(options.secret);
  const manager = new native.Manager(policy, options.store, secrets, followed, onEvent ? teller(onEvent) : null);
  const requestHead = headTaker(forwardedHeaders(policy.trustProxy));

  function sessions(req, res, next) {
    if (req.session) {
      next(visitOf(req.session) ? undefined : new Error("req.session is there already, by another middleware; use one of the two"));
      return;
    }
    const attendance = passive(req) ? native.Attendance.Passive : native.Attendance.Active;
    begin(manager, requestHead(req), attendance, { req, res, next }).then(() => next(), next);
  }

  const from = (req) => {
    if (!req.session || !visitOf(req.session)) throw new Error(NO_MIDDLEWARE);
    return req.session;
  };

  return Object.assign(sessions, {
    of: (owner) => new OwnerSessions(manager, ownerOf(owner)),
    from,
    routes: (options) => routes(manager, requestHead, options),
    requireCsrfToken(req, res, next) {
      try {
        requireToken(visitOf(from(req)), req);
      } catch (error) {
        next(error);
        return;
      }
      next();
    },
    revoke: async (id) => orThrow(await manager.revoke(String(id))),
    ping: async () => void orThrow(await manager.ping()),
    sweep: async () => orThrow(await manager.sweep()),
    eventsDropped: () => manager.eventsDropped,
  });
};

function forwardedHeaders(trustProxy) {
  if (!trustProxy) return [];
  return trustProxy.forwarded ? ["forwarded"] : ["x-forwarded-for", "x-forwarded-proto"];
}

/** A function that fails is the application's mistake, and costs no request its answer. */
function teller(onEvent) {
  return async ({ at, ...event }) => {
    const told = Object.fromEntries(Object.entries(event).filter(([, value]) => value != null));
    try {
      await onEvent({ at: new Date(at), ...told });
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  };
}

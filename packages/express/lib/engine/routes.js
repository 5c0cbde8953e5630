// Routes about the session itself, for pages that tell their users about time.
"use strict";

const native = require("../native");
const { begin, visitOf } = require("./visit");

const ROUTES = {
  "/status": { method: "GET", attendance: "Passive" },
  "/extend": { method: "POST", attendance: "Extending" },
  "/sign-out": { method: "POST", attendance: "Passive" },
};

const MOUNTED_LATE =
  "the session was loaded before sessions.routes(), which counts as activity; mount the routes first: " +
  'app.use("/session", sessions.routes()), then app.use(sessions)';

module.exports = function routes(manager, requestHead, { clearSiteData = false } = {}) {
  return function sessionRoutes(req, res, next) {
    const pathname = pathOf(req.url);
    const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : undefined;
    if (!route) return next();
    if (req.method !== route.method) return refuse(res, 405, "Method not allowed.", { Allow: route.method });
    if (req.session && visitOf(req.session)) return next(new Error(MOUNTED_LATE));

    const head = requestHead(req);
    if (route.method === "POST" && !manager.isSameOrigin(head)) {
      return refuse(res, 403, "This request did not come from a page of this site.");
    }
    const loaded = (session) => {
      // Somebody has lost patience, and answered.
      if (res.headersSent) return;
      const visit = visitOf(session);
      if (pathname === "/sign-out") {
        visit.signOut();
        if (clearSiteData) res.setHeader("Clear-Site-Data", native.CLEAR_SITE_DATA_VALUE);
      }
      answer(res, 200, "application/json", visit.statusReport());
    };
    begin(manager, head, native.Attendance[route.attendance], { req, res, next }).then(loaded).catch(next);
  };
};

/** The path of a request's target, which may be a whole URL. Node's parsers throw at targets that anybody may send. */
const pathOf = (target) => /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i.exec(target)[1];

function refuse(res, status, text, headers = {}) {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  answer(res, status, "text/plain; charset=utf-8", `${text}\n`);
}

function answer(res, status, type, body) {
  res.statusCode = status;
  res.setHeader("Content-Type", type);
  res.setHeader("Cache-Control", "no-store");
  res.end(body);
}

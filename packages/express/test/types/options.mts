// The options are those of express-session, and one more.
import { randomBytes } from "node:crypto";

import session, { type CookieOptions, type SessionOptions, type UpstreamBehaviour } from "tenure-express";

const cookie: CookieOptions = {
  domain: "app.test",
  encode: encodeURIComponent,
  expires: null,
  httpOnly: true,
  maxAge: 60_000,
  partitioned: true,
  path: "/",
  priority: "high",
  sameSite: "lax",
  secure: "auto",
  signed: true,
};
const all: SessionOptions = {
  cookie,
  genid: (req) => req.path,
  name: "sid",
  proxy: undefined,
  resave: false,
  rolling: true,
  saveUninitialized: false,
  secret: ["new", Buffer.from("old"), randomBytes(32)],
  store: new session.MemoryStore(),
  unset: "destroy",
  upstream: true,
};
session();
session(all);
session({ secret: "a", cookie: (req) => ({ secure: req.secure, sameSite: "auto" }) });

const some: UpstreamBehaviour[] = ["respond-before-save", "cookie-function", "drifting-max-age", "ignore-disconnect"];
session({ secret: "a", upstream: some });
session({ secret: "a", upstream: false });

// @ts-expect-error: a secret is needed.
session({ resave: false });
// @ts-expect-error: no such behaviour.
session({ secret: "a", upstream: ["respond-late"] });
// @ts-expect-error: an array of them.
session({ secret: "a", upstream: "ignore-disconnect" });
// @ts-expect-error: destroy or keep.
session({ secret: "a", unset: "forget" });
// @ts-expect-error: no such option.
session({ secret: "a", saveUninitialised: false });
// @ts-expect-error: an ID is text.
session({ secret: "a", genid: () => 7 });
// @ts-expect-error: no such value.
session({ secret: "a", cookie: { sameSite: "strictly" } });
// @ts-expect-error: no such value.
session({ secret: "a", cookie: { secure: "always" } });
// @ts-expect-error: no such value.
session({ secret: "a", cookie: { priority: "highest" } });
// @ts-expect-error: milliseconds, and no text.
session({ secret: "a", cookie: { maxAge: "1h" } });
// @ts-expect-error: no store.
session({ secret: "a", store: new Map() });

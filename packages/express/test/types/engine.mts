// The engine: its options, its sessions, and what a request has of them.
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";

import express from "express";
import session, {
  SessionError,
  connect,
  secretFrom,
  type EngineOptions,
  type EngineSession,
  type EngineSessionData,
  type EngineStore,
  type FollowedSecrets,
  type ListedSession,
  type SessionEvent,
  type Sessions,
} from "tenure-express";

declare module "tenure-express" {
  interface EngineSessionData {
    cart: { items: string[] };
    count: number;
    theme: "dark" | "light";
  }
}

const store: EngineStore = await connect("memory:");
const secret: FollowedSecrets = await secretFrom("env:SESSION_SECRET", { longestLifetime: 1, refreshEvery: 1, propagationDelay: 1 });
const all: EngineOptions = {
  absoluteTimeout: 1,
  cookie: { domain: "app.test", httpOnly: true, lifetime: "browser-session", name: "s", partitioned: true, path: "/", sameSite: "strict", secure: true },
  csrfExemptPaths: ["/hooks/*"],
  csrfTokens: "demanded",
  environment: "production",
  guessLimit: { refused: 1, unknown: 1 },
  idleTimeout: 1,
  maxDataBytes: 1,
  onEvent: (event: SessionEvent) => console.log(event.at.getTime(), event.name, event.client?.userAgent),
  originCheck: "done-elsewhere",
  passive: (req) => req.path === "/poll",
  preset: "aal2",
  recordClientAddress: true,
  rememberedAbsoluteTimeout: 1,
  rememberedIdleTimeout: 1,
  renewEvery: null,
  renewalGrace: 1,
  sealed: true,
  secret,
  sessionLimit: { most: 5, whenReached: "refuse-newest" },
  store,
  storeDeadline: 1,
  sweepInterval: null,
  touchInterval: 1,
  trustProxy: { hops: 1, headers: "forwarded" },
  trustedOrigins: ["https://app.test"],
};
const sessions: Sessions = session(all);
session({ store, secret: "a", guessLimit: "unlimited", trustProxy: 1 });
session({ store, secret: ["a", Buffer.from("b"), new Uint8Array(32)], trustProxy: ["10.0.0.0/8"] });

// @ts-expect-error: a secret is needed.
session({ store });
// @ts-expect-error: the store is a promise.
session({ store: connect("memory:"), secret: "a" });
// @ts-expect-error: the drop-in's option.
session({ store, secret: "a", resave: false });
// @ts-expect-error: an option of the engine's, whose store is missing.
session({ secret: "a", idleTimeout: 1 });
// @ts-expect-error: a store of the drop-in's.
session({ store: new session.MemoryStore(), secret: "a", idleTimeout: 1 });
// @ts-expect-error: misspelt.
session({ store, secret: "a", idleTimeOut: 1 });
// @ts-expect-error: milliseconds, and no text.
session({ store, secret: "a", idleTimeout: "30m" });
// @ts-expect-error: no such value.
session({ store, secret: "a", originCheck: "on" });
// @ts-expect-error: the cookie's lifetime is not a time.
session({ store, secret: "a", cookie: { maxAge: 1 } });
// @ts-expect-error: a limit has a number.
session({ store, secret: "a", sessionLimit: { whenReached: "evict-oldest" } });
// @ts-expect-error: both numbers.
session({ store, secret: "a", guessLimit: { refused: 1 } });
// @ts-expect-error: a store by its URL.
await connect(new URL("redis://localhost"));
// @ts-expect-error: no such option.
await secretFrom("env:X", { refreshInterval: 1 });

const app = express();
app.use("/session", sessions.routes({ clearSiteData: true }));
app.use(sessions);
createServer((req, res) => sessions(req, res, () => res.end(sessions.from(req).owner ?? "nobody")));
createHttp2Server((req, res) => sessions(req, res, () => res.end(sessions.from(req).owner ?? "nobody")));

app.post("/", sessions.requireCsrfToken, async (req, res, next) => {
  const current = sessions.from(req);
  const theme: "dark" | "light" | undefined = current.theme;
  current.theme = "dark";
  current.cart?.items.push("tea");
  delete current.count;
  // @ts-expect-error: no such value.
  current.theme = "red";
  // @ts-expect-error: nobody declared this.
  current.colour = "red";
  // @ts-expect-error: it may not be there.
  current.cart.items.push("milk");
  // @ts-expect-error: signIn sets it.
  current.owner = "ada";

  await current.signIn("ada", { level: 2, remember: true });
  await current.signIn(7n);
  // @ts-expect-error: no user at all.
  await current.signIn(undefined);
  // @ts-expect-error: no such level.
  await current.signIn("ada", { level: 4 });
  await current.stepUp(3);
  await current.remember();
  await current.renew();
  current.renew((error) => next(error));
  current.regenerate(next);
  current.signOut(next);
  current.destroy(next);
  current.save(next);
  const isKept: boolean = await current.save();
  const isRecent: boolean = current.authenticatedWithin(60_000, 2);
  const token: string = await current.csrfToken();

  const count: number = await current.update("count", (count = 0) => count + 1);
  const removed: undefined = await current.update("count", () => undefined);
  const cart: { items: string[] } = await current.update("cart", async (cart = { items: [] }) => ({ items: [...cart.items, "tea"] }));
  // @ts-expect-error: a count is a number.
  await current.update("count", () => "many");
  // @ts-expect-error: nobody declared this.
  await current.update("colour", () => "red");

  const { status, idleDeadline, assuranceLevel } = current.info;
  const left: number = (idleDeadline?.getTime() ?? 0) - Date.now();
  const level: 1 | 2 | 3 | undefined = assuranceLevel;
  // @ts-expect-error: no such status.
  if (status === "gone") return;

  const own = sessions.of(current.owner ?? 0);
  const listed: ListedSession[] = await own.list(req.session);
  await own.list(current);
  const others: number = await own.revokeOthers(current);
  await own.revokeOthers(req.session);
  // @ts-expect-error: which one stays?
  await own.revokeOthers();
  const ended: boolean = (await own.revoke(listed[0]!.id)) || (await sessions.revoke("id"));
  const swept: number = (await own.revokeAll()) + (await sessions.sweep()) + sessions.eventsDropped();
  await sessions.ping();
  res.json([theme, isKept, isRecent, token, count, removed, cart, left, level, others, ended, swept, secret.status().versions[0]?.role]);
});

app.use(((error: unknown, _req, res, next) => {
  if (!(error instanceof SessionError) || res.headersSent) return next(error);
  const { code, retryAfter = 0 } = error;
  // @ts-expect-error: no such code.
  if (code === "EGONE") return;
  res.status(error.status).set(error.headers).send(`${error.text} ${retryAfter}`);
}) satisfies express.ErrorRequestHandler);

// @ts-expect-error: the engine makes them.
new SessionError();

const data = (current: EngineSession & Partial<EngineSessionData>): number | undefined => current.count;
export { data };

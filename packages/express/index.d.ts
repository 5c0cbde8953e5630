import { CipherKey } from "node:crypto";
import { EventEmitter } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { Http2ServerRequest, Http2ServerResponse } from "node:http2";

import express = require("express");

export = session;

/**
 * The engine: gives each request its session, as `req.session`, and does by itself what keeps sessions safe. It takes the
 * store that `connect` gives.
 *
 * @example
 * const sessions = session({ store: await session.connect("redis://localhost"), secret: process.env.SESSION_SECRET! });
 * app.use("/session", sessions.routes());
 * app.use(sessions);
 *
 * @throws TypeError for an option that is unknown or of the wrong type; Error for a set-up that is not fit for use, with all
 * that is wrong with it.
 */
declare function session(options: session.EngineOptions): session.Sessions;
/**
 * The drop-in for express-session: gives each request its session, as `req.session`.
 *
 * @throws TypeError for an option that cannot be what it is.
 */
declare function session(options?: session.SessionOptions): express.RequestHandler;

declare const engineStore: unique symbol;
declare const followedSecrets: unique symbol;

declare namespace session {
  interface SessionOptions {
    /**
     * What the session's cookie is signed with; 32 random bytes or more. Of several, the first signs, and all are accepted:
     * to change the secret without signing users out, put the new one in front of the old one.
     */
    secret: CipherKey | CipherKey[];

    /**
     * Makes the ID of a new session. It has to be unique, and nobody must be able to guess it.
     *
     * @default 24 bytes of the system's randomness, in base64url
     */
    genid?(req: express.Request): string;

    /**
     * The name of the cookie. Applications on one host need one each, whatever their ports.
     *
     * @default "connect.sid"
     */
    name?: string | undefined;

    /**
     * Where the sessions are kept.
     *
     * @default a new `MemoryStore`, which is for development alone
     */
    store?: Store | undefined;

    /** The attributes of the cookie, or a function that says for each request what they are. */
    cookie?: CookieOptions | ((req: express.Request) => CookieOptions) | undefined;

    /**
     * Whether each response sets the cookie anew, so that `maxAge` counts from the last response. A new session that
     * `saveUninitialized: false` leaves out gets no cookie all the same.
     *
     * @default false
     */
    rolling?: boolean | undefined;

    /**
     * Whether a session is saved that the request has not changed. This undoes what another request did meanwhile; only
     * a store that ends sessions by itself and has no `touch` needs it.
     *
     * @default true, with a warning; say `false` where you can
     */
    resave?: boolean | undefined;

    /**
     * Whether `X-Forwarded-Proto` says that a request came over HTTPS: `true` always, `false` never, `undefined` as Express'
     * own setting "trust proxy" has it.
     */
    proxy?: boolean | undefined;

    /**
     * Whether a new session that nothing was written to is saved, and its cookie sent.
     *
     * @default true, with a warning; `false` spares the store and asks visitors for no cookie
     */
    saveUninitialized?: boolean | undefined;

    /**
     * What becomes of the stored session when `req.session` is deleted or set to null.
     *
     * @default "keep"
     */
    unset?: "destroy" | "keep" | undefined;

    /**
     * Behaviour of express-session to have back where this package differs: `true` for all of it.
     *
     * @default false
     */
    upstream?: boolean | UpstreamBehaviour[] | undefined;
  }

  /** A difference from express-session; the README describes each. */
  type UpstreamBehaviour = "respond-before-save" | "cookie-function" | "drifting-max-age" | "ignore-disconnect";

  /**
   * What a session holds. Declare your own data in it:
   *
   * @example
   * declare module "tenure-express" {
   *   interface SessionData {
   *     views: number;
   *   }
   * }
   */
  interface SessionData {
    cookie: Cookie;
  }

  class Session {
    private constructor(request: Express.Request, data: SessionData);

    /** The session's ID, as in `req.sessionID`. Whoever knows it is signed in: keep it out of logs. */
    id: string;

    /** The session's cookie, whose attributes can be changed for this session. */
    cookie: Cookie;

    /**
     * Puts a new session with a new ID in this one's place, which is destroyed. Do this when a user signs in, so that an ID
     * that somebody else planted is worth nothing.
     */
    regenerate(callback: (err: any) => void): this;

    /** Removes the session from the store, and `req.session` from the request. */
    destroy(callback: (err: any) => void): this;

    /** Reads the session from the store again, into a new `req.session`. */
    reload(callback: (err: any) => void): this;

    /** Sets the cookie's `maxAge` to `originalMaxAge`. */
    resetMaxAge(): this;

    /** Saves the session now. The end of the response does so by itself if the session has changed. */
    save(callback?: (err: any) => void): this;

    /** Starts `maxAge` anew. The middleware does so by itself. */
    touch(): this;
  }

  interface CookieOptions {
    /**
     * After how many milliseconds the cookie ends, and its session with it.
     *
     * @default until the browser is closed
     */
    maxAge?: number | undefined;

    /** Whether other sites that embed this one get a cookie of their own. */
    partitioned?: boolean | undefined;

    /** Which cookies the browser drops first when there are too many. */
    priority?: "low" | "medium" | "high" | undefined;

    signed?: boolean | undefined;

    /**
     * When the cookie ends.
     *
     * @deprecated `maxAge` counts from each request; this is one moment for all.
     */
    expires?: Date | null | undefined;

    /**
     * Whether scripts in the page cannot read the cookie.
     *
     * @default true
     */
    httpOnly?: boolean | undefined;

    /**
     * Below which path the cookie is sent, and requests have sessions.
     *
     * @default "/"
     */
    path?: string | undefined;

    /**
     * The domain that gets the cookie, with those below it.
     *
     * @default this host alone
     */
    domain?: string | undefined;

    /**
     * Whether the cookie goes over HTTPS alone; over HTTP, none is set then. `"auto"` goes by the request at hand.
     *
     * @default false
     */
    secure?: boolean | "auto" | undefined;

    encode?: ((val: string) => string) | undefined;

    /**
     * Whether requests from other sites carry the cookie: `"strict"` or `true` none, `"lax"` links to this site alone,
     * `"none"` all. `"auto"` is `"none"` over HTTPS and `"lax"` over HTTP.
     *
     * @default no attribute, which browsers read in different ways
     */
    sameSite?: boolean | "lax" | "strict" | "none" | "auto" | undefined;
  }

  class Cookie implements CookieOptions {
    constructor(options?: CookieOptions);

    /** The `maxAge` that was set, in milliseconds; `null` where the cookie ends with the browser. */
    originalMaxAge: number | null;

    /** How many milliseconds are left. */
    maxAge?: number | undefined;
    partitioned?: boolean | undefined;
    priority?: "low" | "medium" | "high" | undefined;
    signed?: boolean | undefined;
    expires?: Date | null | undefined;
    httpOnly?: boolean | undefined;
    path?: string | undefined;
    domain?: string | undefined;
    secure?: boolean | "auto" | undefined;
    sameSite?: boolean | "lax" | "strict" | "none" | undefined;
  }

  /** What every store inherits from. A store tells of its database with the events `connect` and `disconnect`. */
  abstract class Store extends EventEmitter {
    /** Destroys the request's session and gives it a new one. */
    regenerate(req: express.Request, callback: (err?: any) => any): void;

    /** Gets a session outside of its request: one with methods, or none. */
    load(sid: string, callback: (err: any, session?: SessionData) => any): void;

    /** Makes the request's session of what was stored. */
    createSession(req: express.Request, session: SessionData): Session & SessionData;

    /** Gets what was stored under the ID: `null` or `undefined` for nothing, as is an error whose `code` is "ENOENT". */
    abstract get(sid: string, callback: (err: any, session?: SessionData | null) => void): void;

    /** Stores the session under the ID, whether or not there is one. */
    abstract set(sid: string, session: SessionData, callback?: (err?: any) => void): void;

    /** Removes the session, if there is one. */
    abstract destroy(sid: string, callback?: (err?: any) => void): void;

    /** Gets all sessions. */
    all?(callback: (err: any, obj?: SessionData[] | { [sid: string]: SessionData } | null) => void): void;

    /** Counts the sessions. */
    length?(callback: (err: any, length?: number) => void): void;

    /** Removes all sessions. */
    clear?(callback?: (err?: any) => void): void;

    /** Starts the session's time anew, and leaves the rest of it as it is stored. */
    touch?(sid: string, session: SessionData, callback?: () => void): void;
  }

  /** Sessions in the memory of this process: for development and tests. */
  class MemoryStore extends Store {
    get(sid: string, callback: (err: any, session?: SessionData | null) => void): void;
    set(sid: string, session: SessionData, callback?: (err?: any) => void): void;
    destroy(sid: string, callback?: (err?: any) => void): void;
    all(callback: (err: any, obj?: { [sid: string]: SessionData } | null) => void): void;
    length(callback: (err: any, length?: number) => void): void;
    clear(callback?: (err?: any) => void): void;
    touch(sid: string, session: SessionData, callback?: () => void): void;
  }

  /** What a request has where the middleware has run. */
  interface RequestWithSession {
    /** The session. */
    session: Session & Partial<SessionData>;

    /** The session's ID. Whoever knows it is signed in: keep it out of logs. */
    sessionID: string;

    /** The store in use. */
    sessionStore: Store & { generate: (req: Express.Request) => void };
  }

  /**
   * Opens the store that a URL names: `redis://`, `rediss://`, `redis+sentinel://`, `redis-cluster://`, `postgres://`,
   * `mysql://`, `mariadb://`, `mongodb://`, `mongodb+srv://`, `sqlite:FILE`, or `memory:` for development.
   */
  function connect(url: string): Promise<EngineStore>;

  /**
   * Secrets that follow the place where they are kept: `env:VARIABLE`, `file:PATH`, `vault:MOUNT/PATH#FIELD`, `aws:NAME`,
   * `azure:VAULT/NAME`. A new version verifies at once and signs when every instance has had the time to see it, so that a
   * rotation signs nobody out.
   */
  function secretFrom(url: string, options?: SecretOptions): Promise<FollowedSecrets>;

  /** A store of the engine's, by `connect`. */
  interface EngineStore {
    readonly [engineStore]: true;

    /** What it is called in errors. */
    readonly name: string;
  }

  interface SecretOptions {
    /**
     * How long an older version is kept, in milliseconds: at least as long as the longest session lives.
     *
     * @default 30 days, which is the longest that a session lives by default
     */
    longestLifetime?: number | undefined;

    /**
     * How often the place is read, in milliseconds. Files are noticed when they change.
     *
     * @default 5 minutes
     */
    refreshEvery?: number | undefined;

    /**
     * For how long a new version verifies and does not sign yet, in milliseconds, so that every instance knows it by then.
     *
     * @default two `refreshEvery`s
     */
    propagationDelay?: number | undefined;
  }

  /** Secrets that are followed, by `secretFrom`. */
  interface FollowedSecrets {
    readonly [followedSecrets]: true;

    /** How they stand: for health pages. Nothing of a secret is in it. */
    status(): SecretsStatus;

    /** Reads the place now. */
    refresh(): Promise<void>;
  }

  interface SecretsStatus {
    /** The URL of the place. */
    source: string;
    lastSuccessAt: Date;
    /** Why it could not be read the last time; `undefined` if it could. What is known goes on. */
    failing: string | undefined;
    versions: SecretVersion[];
  }

  interface SecretVersion {
    name: string;
    /** What it does: an upcoming one verifies, the current one signs, an older one still verifies. */
    role?: "upcoming" | "current" | "older" | "retired" | undefined;
    /** The cookies under it that this process has seen. An older one that has no more of them may go. */
    cookiesVerified: number;
  }

  /** The engine's options. What is left out has a safe default. */
  interface EngineOptions {
    /** Where the sessions are kept: `await session.connect(url)`. */
    store: EngineStore;

    /**
     * What cookies are signed with, and data sealed: at least 32 random bytes, as `openssl rand -base64 32` makes them. Of several
     * the first signs and all are accepted, so that a new one in front of the old one signs nobody out. Or what `secretFrom`
     * gives, which does so by itself.
     */
    secret: string | Uint8Array | readonly (string | Uint8Array)[] | FollowedSecrets;

    /**
     * Whether real users are served. In production a set-up is refused that would be fine on a developer's machine: the
     * memory store, a cookie without `secure`, requests from other sites that nobody checks.
     *
     * @default "development" if NODE_ENV is "development" or "test", else "production": a forgotten setting must fail safe
     */
    environment?: "production" | "development" | undefined;

    /**
     * The defaults of an assurance level of NIST SP 800-63B-4: "aal2" is 1 hour idle and 24 hours in all, "aal3" 15
     * minutes and 12 hours; both renew the secret by themselves and demand tokens.
     *
     * @default "aal1", which is what stands below
     */
    preset?: "aal1" | "aal2" | "aal3" | undefined;

    /**
     * How long after the last activity a session ends, in milliseconds.
     *
     * @default 30 minutes: an unattended browser is the cheapest theft there is
     */
    idleTimeout?: number | undefined;

    /**
     * How long after the sign-in, or the beginning, a session ends whatever happens, in milliseconds.
     *
     * @default 12 hours: a stolen session must not be kept alive for ever, and a working day fits in
     */
    absoluteTimeout?: number | undefined;

    /**
     * The idle timeout of a session that is remembered, in milliseconds.
     *
     * @default 14 days: it is what the user asked for on a device of their own
     */
    rememberedIdleTimeout?: number | undefined;

    /**
     * The absolute timeout of a session that is remembered, in milliseconds.
     *
     * @default 30 days, the most at AAL1 of NIST SP 800-63B-4
     */
    rememberedAbsoluteTimeout?: number | undefined;

    /**
     * How much time passes between two writes that slide the idle deadline, in milliseconds, at the least. A session may end
     * up to this much before its idle timeout.
     *
     * @default a tenth of the idle timeout, one minute at most: a page with thirty requests should cause one write
     */
    touchInterval?: number | undefined;

    /**
     * How often an active session gets a new secret by itself, in milliseconds; `null` for never. A copied cookie is of use
     * for so long only, and is found out. Costs three writes an interval.
     *
     * @default null; 30 minutes by "aal2", 10 by "aal3"
     */
    renewEvery?: number | null | undefined;

    /**
     * How long the old secret stays good beside the new one, from the first use of the new one, in milliseconds.
     *
     * @default 2 minutes: longer than a request is on its way, and than browsers take to write cookies to disk
     */
    renewalGrace?: number | undefined;

    /**
     * How many sessions one user may have at once.
     *
     * @default as many as they like: people have many devices
     */
    sessionLimit?: SessionLimit | undefined;

    /** The attributes of the cookie. */
    cookie?: EngineCookieOptions | undefined;

    /**
     * Whether requests that may change something are checked to come from a page of this origin. "done-elsewhere" is for where
     * a gateway does it; production refuses "off".
     *
     * @default "enforced": `SameSite` lets sibling subdomains in, and guards no sign-in form
     */
    originCheck?: "enforced" | "done-elsewhere" | "off" | undefined;

    /**
     * Other origins whose pages may send requests that change something: `scheme://host[:port]`, https except on this machine.
     *
     * @default none: each one is as powerful as the application itself
     */
    trustedOrigins?: readonly string[] | undefined;

    /**
     * Paths that are checked neither for their origin nor for a token, such as those of webhooks: "/hooks/pay", or "/hooks/*" for
     * all below it.
     *
     * @default none
     */
    csrfExemptPaths?: readonly string[] | undefined;

    /**
     * Whether a request that may change something, and has a session's cookie, must have its token: in the header `X-CSRF-Token`
     * or the form field `_csrf`.
     *
     * @default "offered": the check of the origin is enough for browsers of the last years; "demanded" by "aal2" and "aal3"
     */
    csrfTokens?: "offered" | "demanded" | undefined;

    /**
     * How many cookies that are not accepted one address may bring in a minute, before it is answered with 429.
     *
     * @default { refused: 10, unknown: 300 }: a browser is rid of a dead cookie with the first answer
     */
    guessLimit?: GuessLimit | "unlimited" | undefined;

    /**
     * Which proxies in front are believed about the client's address: their number, or their networks. Without it the proxy
     * counts as the client, and all its users share one limit of guesses.
     *
     * @default nobody: anybody can send such a header
     */
    trustProxy?: number | readonly string[] | TrustProxy | undefined;

    /**
     * Whether the client's address is kept with the session, for the page of the user's devices.
     *
     * @default false: it is personal data
     */
    recordClientAddress?: boolean | undefined;

    /**
     * Whether the data is encrypted in the store.
     *
     * @default true: a stolen database must open no session
     */
    sealed?: boolean | undefined;

    /**
     * The most that a session's data may come to as JSON, in bytes; 1 MiB less 33 bytes at most.
     *
     * @default 65,536: it is read with every request
     */
    maxDataBytes?: number | undefined;

    /**
     * How long a request waits for the store in one load or one save, in milliseconds. Then it fails with 503.
     *
     * @default 2 seconds: a store that hangs must not hang the application
     */
    storeDeadline?: number | undefined;

    /**
     * How often expired sessions are removed from a store that does not do so itself, in milliseconds; `null` for never.
     *
     * @default 1 minute: a table that only grows fills a disk in the end
     */
    sweepInterval?: number | null | undefined;

    /**
     * Is told of every event. No request waits for it; 1,024 events wait for a function that is slow, and further ones are
     * dropped and counted. If it throws, or what it gives is rejected, the process is warned.
     */
    onEvent?: ((event: SessionEvent) => unknown) | undefined;

    /**
     * Whether a request is no activity, such as that of a page that polls: it does not slide the idle deadline.
     *
     * @default every request is activity
     */
    passive?: ((req: express.Request) => boolean) | undefined;
  }

  interface EngineCookieOptions {
    /**
     * @default "__Host-session": browsers take it from this very host over https alone. Another name than before signs everybody
     * out
     */
    name?: string | undefined;

    /** @default "/", as `__Host-` demands; a narrower one protects nothing */
    path?: string | undefined;

    /** @default none, so this host alone: a cookie that subdomains share is as safe as the weakest of them */
    domain?: string | undefined;

    /** Whether it is sent over https only. @default true; production refuses `false` */
    secure?: boolean | undefined;

    /** Whether scripts are kept from reading it. @default true; `false` is always refused */
    httpOnly?: boolean | undefined;

    /** Which cross-site requests carry it. @default "lax": a link from an e-mail arrives signed in, a foreign form does not */
    sameSite?: "strict" | "lax" | "none" | undefined;

    /** Whether an embedded page gets a cookie of its own for each site that embeds it. @default false */
    partitioned?: boolean | undefined;

    /**
     * How long the browser keeps it. The store ends sessions either way.
     *
     * @default "absolute-timeout": mobile browsers end at any moment, and desktop ones restore the others anyway
     */
    lifetime?: "absolute-timeout" | "browser-session" | undefined;
  }

  interface SessionLimit {
    /** The number of sessions; at least 1. */
    most: number;

    /**
     * What becomes of a sign-in beyond it: the user's oldest session ends, or the sign-in is refused with 403.
     *
     * @default "evict-oldest"
     */
    whenReached?: "evict-oldest" | "refuse-newest" | undefined;
  }

  interface GuessLimit {
    /** Cookies that are malformed or forged; at least 1. */
    refused: number;
    /** Genuine cookies of no session; at least 1. Such a cookie is common after a timeout. */
    unknown: number;
  }

  /** Either `hops` or `networks`. */
  interface TrustProxy {
    /** How many proxies are in front. */
    hops?: number | undefined;
    /** The addresses of the proxies, such as "10.0.0.0/8". */
    networks?: readonly string[] | undefined;
    /** Which headers they set. @default "x-forwarded" */
    headers?: "x-forwarded" | "forwarded" | undefined;
  }

  /** A middleware of Express, of connect, and of Node's own servers. */
  type Middleware = (
    req: IncomingMessage | Http2ServerRequest,
    res: ServerResponse | Http2ServerResponse,
    next: (error?: any) => void,
  ) => void;

  /** The engine's middleware, and what can be done with its sessions. */
  interface Sessions extends Middleware {
    /** The request's session, with its type. Throws where the middleware has not run. */
    from(req: IncomingMessage | Http2ServerRequest): EngineSession & Partial<EngineSessionData>;

    /** All sessions of one user. */
    of(owner: OwnerId): OwnerSessions;

    /**
     * `GET /status`, which is no activity, `POST /extend` and `POST /sign-out`: for pages that tell their users about time. To be
     * mounted before the middleware.
     */
    routes(options?: RoutesOptions): Middleware;

    /** Refuses requests without a token of their session: for single routes, behind the parser of bodies. */
    requireCsrfToken: Middleware;

    /** Ends a session, whosoever it is, by its id. Tells whether there was one. */
    revoke(id: string): Promise<boolean>;

    /** Whether the store answers. */
    ping(): Promise<void>;

    /** Removes every session that has expired by now, and tells how many: for those who set `sweepInterval: null`. */
    sweep(): Promise<number>;

    /** How many events `onEvent` was too slow for. */
    eventsDropped(): number;
  }

  interface RoutesOptions {
    /** Whether a sign-out has the browser forget what it keeps of the site. @default false */
    clearSiteData?: boolean | undefined;
  }

  /** The id of a user: a string of 1 to 255 bytes, or a whole number. One that never changes. */
  type OwnerId = string | number | bigint;

  /** How strongly somebody proved who they are (NIST SP 800-63B): by one factor, by two, or by one that can't be phished. */
  type AssuranceLevel = 1 | 2 | 3;

  /** All sessions of one user: for account pages and operators. */
  interface OwnerSessions {
    /** Those that live, the last seen first. `current` is marked: `req.session`. */
    list(current?: EngineSession | Session): Promise<ListedSession[]>;

    /** Ends one of them. Tells whether it was the user's. */
    revoke(id: string): Promise<boolean>;

    /** Ends all of them, and tells how many. */
    revokeAll(): Promise<number>;

    /** Ends all but this one, and tells how many: after a password was changed. */
    revokeOthers(current: EngineSession | Session): Promise<number>;
  }

  interface ListedSession {
    id: string;
    createdAt: Date;
    signedInAt: Date | undefined;
    lastSeenAt: Date;
    idleDeadline: Date;
    absoluteDeadline: Date;
    remembered: boolean;
    /** The device that it was signed in on. */
    device: Device;
    isCurrent: boolean;
  }

  interface Device {
    userAgent?: string | undefined;
    /** Only with `recordClientAddress`. */
    address?: string | undefined;
  }

  /**
   * What a session of the engine holds: plain properties that become JSON. Declare your own:
   *
   * @example
   * declare module "tenure-express" {
   *   interface EngineSessionData {
   *     theme: "dark" | "light";
   *   }
   * }
   */
  interface EngineSessionData {}

  /**
   * A request's session, as `sessions.from(req)` gives it. What a handler changes on it, nested objects included, is written when
   * it answers, and no response leaves before that.
   *
   * Promises are rejected with a `SessionError`, whose code is "EDROPPED" where the session has ended in the meantime. Those
   * methods that passport calls take a callback as well.
   */
  interface EngineSession {
    /** The session's name, which is no secret. `undefined` before it is first saved. */
    readonly id: string | undefined;

    /** The signed-in user. */
    readonly owner: string | undefined;

    /** What is known of it beside its values. */
    readonly info: CurrentSession;

    /**
     * Makes `owner` the signed-in user, who has just proved who they are. The session gets a new secret, so that one that was
     * planted before is worth nothing, and its absolute timeout starts anew. Values stay; those of another user go.
     */
    signIn(owner: OwnerId, options?: SignInOptions): Promise<void>;

    /** The signed-in user has just proved again who they are. The session gets a new secret. */
    stepUp(level?: AssuranceLevel): Promise<void>;

    /** Whether the signed-in user proved who they are, at least this strongly, less than so many milliseconds ago. */
    authenticatedWithin(millis: number, level?: AssuranceLevel): boolean;

    /** "Keep me signed in": the longer pair of timeouts, and a cookie that outlives the browser. */
    remember(): Promise<void>;

    /** A new secret, when what the session may do changes. */
    renew(): Promise<void>;
    renew(callback: (error?: unknown) => void): void;

    /** Empties the session and gives it a new secret. */
    regenerate(): Promise<void>;
    regenerate(callback: (error?: unknown) => void): void;

    /** Ends the session because its user leaves. What is written afterwards begins a new one. */
    signOut(): Promise<void>;
    signOut(callback: (error?: unknown) => void): void;

    /** Ends the session for any other reason. The same but for the event. */
    destroy(): Promise<void>;
    destroy(callback: (error?: unknown) => void): void;

    /** Writes at once what was changed. `false` if the session has ended in the meantime, and it was dropped. */
    save(): Promise<boolean>;
    save(callback: (error?: unknown) => void): void;

    /**
     * Changes a value by what it was, and gives what was stored; `undefined` removes it. If another request was faster, `change`
     * is called again, so it must depend on nothing else.
     */
    update<Name extends keyof EngineSessionData & string, Value extends EngineSessionData[Name] | undefined>(
      name: Name,
      change: (value: EngineSessionData[Name] | undefined) => Value | Promise<Value>,
    ): Promise<Value>;

    /** A token for the pages of this session, which begins if there is none. One before a sign-in or renewal is worth nothing after it. */
    csrfToken(): Promise<string>;
  }

  interface SignInOptions {
    /** How strongly the user has proved who they are. @default 1 */
    level?: AssuranceLevel | undefined;
    /** "Keep me signed in". @default false */
    remember?: boolean | undefined;
  }

  interface CurrentSession {
    /** Whether there is none, it came with the request or was saved in it, has a new secret, or was ended. */
    status: "absent" | "loaded" | "renewed" | "destroyed";
    id: string | undefined;
    owner: string | undefined;
    createdAt: Date | undefined;
    signedInAt: Date | undefined;
    lastSeenAt: Date | undefined;
    /** When it ends if nothing happens. */
    idleDeadline: Date | undefined;
    /** When it ends whatever happens. */
    absoluteDeadline: Date | undefined;
    remembered: boolean;
    /** The highest level at which the user has proved who they are since the sign-in. */
    assuranceLevel: AssuranceLevel | undefined;
  }

  /** What went wrong with a session of the engine. */
  class SessionError extends Error {
    private constructor(failure: never);

    readonly code:
      | "ESTORE"
      | "ECONTENDED"
      | "ETOOMANYGUESSES"
      | "ETOOMANYSESSIONS"
      | "ETOOLARGE"
      | "ECSRFORIGIN"
      | "ECSRFTOKEN"
      | "EDROPPED"
      | "EOWNER"
      | "EAFTERRESPONSE"
      | "ESESSION";

    /** The status of the response that it should become. */
    readonly status: number;
    readonly statusCode: number;

    /** A line for the user; `message` is for the log. */
    readonly text: string;

    /** That the message is not for users. */
    readonly expose: false;

    /** What goes with the response. */
    readonly headers: Record<string, string | string[]>;

    /** After how many seconds trying again may help. */
    readonly retryAfter?: number;
  }

  /** What happened to a session. There is never a cookie, a secret or a value in it. */
  interface SessionEvent {
    /** In the words of OWASP's Logging Vocabulary where it has one. Further ones may come. */
    name: SessionEventName | (string & {});
    at: Date;
    /** Why, in a word, where there is more than one reason. */
    reason?: string | undefined;
    /** The session's id. */
    session?: string | undefined;
    owner?: string | undefined;
    /** Where the session was signed in, if that may be elsewhere than `client`. */
    device?: Device | undefined;
    /** Who sent the request. */
    client?: Device | undefined;
    /** How many sessions were revoked. */
    sessions?: number | undefined;
    /** How many attempts to sign in have failed in a row. */
    failures?: number | undefined;
  }

  type SessionEventName =
    | "session_created"
    | "session_renewed"
    | "session_signed_in"
    | "session_stepped_up"
    | "session_signed_out"
    | "session_destroyed"
    | "session_revoked"
    | "session_evicted"
    | "session_limit_reached"
    | "session_expired"
    | "session_use_after_expire"
    | "session_cookie_refused"
    | "session_cookie_superseded"
    | "authn_token_reuse"
    | "session_write_dropped"
    | "session_conflict_replayed"
    | "session_store_failed"
    | "session_csrf_refused"
    | "excess_rate_limit_exceeded";
}

declare global {
  namespace Express {
    // Inherited and not declared, for the types of express-session, which those of most stores bring along, declare it.
    interface Request extends session.RequestWithSession {}
  }
}

// With both types in one program, a request has the data that was declared for either.
// @ts-ignore: most programs have no express-session.
declare module "express-session" {
  interface Cookie extends Pick<session.Cookie, "partitioned" | "priority"> {}
  // @ts-ignore: a program that has installed this package by the other's name meets itself here.
  interface SessionData extends session.SessionData {}
}

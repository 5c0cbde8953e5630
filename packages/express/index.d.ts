import { CipherKey } from "node:crypto";
import { EventEmitter } from "node:events";

import express = require("express");

export = session;

/**
 * The middleware: gives each request its session, as `req.session`.
 *
 * @throws TypeError for an option that cannot be what it is.
 */
declare function session(options?: session.SessionOptions): express.RequestHandler;

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

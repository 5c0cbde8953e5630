// Stores come with the types of express-session, and are accepted.
import MongoStore from "connect-mongo";
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import upstream from "express-session";
import makeMemoryStore from "memorystore";
import session from "tenure-express";

export const postgres = session({ secret: "a", store: new (connectPgSimple(session))() });
export const redis = session({ secret: "a", store: new RedisStore({ client: {} }) });
export const mongo = session({ secret: "a", store: MongoStore.create({ mongoUrl: "mongodb://127.0.0.1/" }) });
export const memory = session({ secret: "a", store: new (makeMemoryStore(session))({}) });
export const theirs = session({ secret: "a", store: new upstream.MemoryStore() });
export const back = upstream({ secret: "a", store: new session.MemoryStore() });

// @ts-expect-error: the option is this package's alone.
upstream({ secret: "a", upstream: true });

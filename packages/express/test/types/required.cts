// What `require` gives, and the files below it.
import express = require("express");
import session = require("tenure-express");
import Cookie = require("tenure-express/session/cookie");
import MemoryStore = require("tenure-express/session/memory.js");
import Session = require("tenure-express/session/session");
import Store = require("tenure-express/session/store.js");

const handler: express.RequestHandler = session({ secret: "a" });
const sameCookie: session.Cookie = new Cookie({ path: "/admin" });
const sameStore: session.Store = new MemoryStore();
const isStore: boolean = sameStore instanceof Store && sameStore instanceof session.MemoryStore;
const sameSession = (candidate: unknown): candidate is session.Session => candidate instanceof Session;

// @ts-expect-error: no such file.
import nothing = require("tenure-express/session/nothing");
// @ts-expect-error: a middleware is no store.
const wrong: session.Store = session({ secret: "a" });

const engine: Promise<session.Sessions> = session.connect("memory:").then((store: session.EngineStore) => session({ store, secret: "a" }));
const engineHandler: Promise<express.RequestHandler> = engine;
// @ts-expect-error: it is not there yet.
const tooEarly: express.RequestHandler = engine;
const isSessionError = (error: unknown): error is session.SessionError => error instanceof session.SessionError;

export = { engineHandler, handler, isSessionError, isStore, nothing, sameCookie, sameSession, tooEarly, wrong };

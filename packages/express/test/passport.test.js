// passport 0.7 with passport-local runs unchanged, and does the same as on express-session.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const express = require("express");
const { Passport } = require("passport");
const { Strategy } = require("passport-local");

const upstream = require("express-session");
const ours = require("..");
const { Browser, SECRET, serve } = require("./support/site");

function site(session) {
  const passport = new Passport();
  const check = (name, password, done) =>
    password === "right" ? done(null, { id: name }) : done(null, false, { message: "wrong" });
  passport.use(new Strategy({ usernameField: "name" }, check));
  passport.serializeUser((user, done) => done(null, user.id));
  passport.deserializeUser((id, done) => done(null, { id }));

  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.use(session({ secret: SECRET, resave: false, saveUninitialized: false, store: new session.MemoryStore() }));
  app.use(passport.initialize());
  app.use(passport.session());
  const options = { successRedirect: "/me", failureRedirect: "/sign-in", failureMessage: true };
  app.post("/sign-in", passport.authenticate("local", options));
  app.post("/sign-in/keeping", passport.authenticate("local", { ...options, keepSessionInfo: true }));
  app.get("/sign-in", (req, res) => res.json(req.session.messages ?? []));
  app.post("/cart", (req, res) => {
    req.session.cart = ["a book"];
    res.json("kept");
  });
  app.get("/me", (req, res) => res.json({ user: req.user ?? null, cart: req.session.cart ?? null, is: req.isAuthenticated() }));
  app.post("/sign-out", (req, res, next) => req.logout((error) => (error ? next(error) : res.redirect("/me"))));
  return serve(app);
}

/** What a visitor sees step by step, and at which steps the session's id changes. */
async function life(session) {
  const { url, close } = await site(session);
  const seen = [];
  const visitor = new Browser();
  const step = async (method, path, body) => {
    const before = visitor.cookies.get("connect.sid");
    const answer = await visitor.send(method, url + path, body);
    const renewed = visitor.cookies.get("connect.sid") !== before;
    const text = await answer.text();
    seen.push([method, path, answer.status, answer.headers.get("location"), text, renewed]);
  };
  await step("GET", "/me");
  await step("POST", "/cart");
  await step("POST", "/sign-in", "name=ada&password=wrong");
  await step("GET", "/sign-in");
  await step("POST", "/sign-in", "name=ada&password=right");
  await step("GET", "/me");
  const copied = new Browser();
  copied.cookies = new Map(visitor.cookies);
  await step("POST", "/sign-out");
  await step("GET", "/me");
  seen.push(await copied.json("GET", `${url}/me`));
  await step("POST", "/cart");
  await step("POST", "/sign-in/keeping", "name=ada&password=right");
  await step("GET", "/me");
  await close();
  return seen;
}

test("signing in and out with passport is the same, to the redirect and the change of the id", async () => {
  const here = await life(ours);
  assert.deepEqual(here, await life(upstream));
  const [, , , , [, , status, location, , renewed], [, , , , me]] = here;
  assert.deepEqual([status, location, renewed], [302, "/me", true]);
  assert.deepEqual(JSON.parse(me).user, { id: "ada" });
  assert.equal(here[8].user, null, "a copied cookie is worth nothing after the sign-out");
});

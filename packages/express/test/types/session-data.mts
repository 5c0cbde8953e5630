// An application declares its own data, and every request has it.
import express from "express";
import session, { type SessionData } from "tenure-express";

declare module "tenure-express" {
  interface SessionData {
    views: number;
    user: { name: string };
  }
}

const app = express();
app.use(session({ secret: "keyboard cat", resave: false, saveUninitialized: false }));

app.get("/", (req, res, next) => {
  req.session.views = (req.session.views ?? 0) + 1;
  const name: string | undefined = req.session.user?.name;
  const id: string = req.sessionID;
  const same: string = req.session.id;

  // @ts-expect-error: a session may have no views yet.
  const views: number = req.session.views as SessionData["views"] | undefined;
  // @ts-expect-error: views are a number.
  req.session.views = "many";
  // @ts-expect-error: nobody declared this.
  req.session.colour = "red";

  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.save(next).touch().resetMaxAge().reload(next);
    req.session.destroy(next);
  });
  // @ts-expect-error: one has to know when it is done.
  req.session.regenerate();

  req.session.cookie.maxAge = 60_000;
  req.session.cookie.partitioned = true;
  const left: number | undefined = req.session.cookie.maxAge;
  const original: number | null = req.session.cookie.originalMaxAge;
  // @ts-expect-error: milliseconds, and no text.
  req.session.cookie.maxAge = "1h";

  req.sessionStore.generate(req);
  req.sessionStore.get(id, (error, stored) => res.json([stored?.views, error, name, same, views, left, original]));
  req.sessionStore.clear?.();
  // @ts-expect-error: not every store can.
  req.sessionStore.clear();
});

const complete: SessionData = { cookie: new session.Cookie({ maxAge: 1 }), views: 1, user: { name: "Ada" } };
// @ts-expect-error: a session has a cookie.
const incomplete: SessionData = { views: 1, user: { name: "Ada" } };

export { complete, incomplete };

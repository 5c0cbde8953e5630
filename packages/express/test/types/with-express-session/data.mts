// A request has the data that was declared for either package, as in an application that is half-way from one to the other.
import type { Request } from "express";
import { RedisStore } from "connect-redis";
import session from "tenure-express";

declare module "tenure-express" {
  interface SessionData {
    declaredHere: number;
  }
}
declare module "express-session" {
  interface SessionData {
    declaredThere: string;
  }
}

export const redis = session({ secret: "a", store: new RedisStore({ client: {} }) });

export function data(req: Request): void {
  const here: number | undefined = req.session.declaredHere;
  const there: string | undefined = req.session.declaredThere;
  // @ts-expect-error: nobody declared this.
  req.session.declaredNowhere = [here, there];
}

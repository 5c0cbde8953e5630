// What a visitor can ask of the probed site, as correctness/src/site.rs says.
"use strict";

const { waitForLeaving, waitForTheEnd } = require("./control");

/** Answers a request by its library's session: its text, and whether it fails. */
module.exports = async function handle(req, session) {
  const [first, ...rest] = req.url.split("/").slice(1);
  switch (first) {
    case "value":
      if (req.method === "GET") return { text: String((await session.get(rest[0])) ?? "nothing") };
      await session.set(rest[0], rest[1]);
      break;
    case "cleared":
      await session.clear();
      await session.set(rest[0], rest[1]);
      break;
    case "sign-in":
      await (session.signIn ?? session.renew)();
      await session.set("user", "ada");
      break;
    case "sign-out":
      await session.end();
      break;
    case "renew-and-fail":
      await session.renew();
      return { text: "the handler fails", fails: true };
    case "held":
      if (rest[0] === "for-ever") {
        await session.set("late", "1");
        await waitForLeaving(req);
        throw new Error("the visitor has gone");
      }
      await session.get("user");
      await waitForTheEnd(req);
      if (rest[0] === "count") await addOne(session);
      else await session.set(rest[1], rest[2]);
      break;
    default:
      throw new Error(`${req.url} is not served`);
  }
  return { text: "done" };
};

/** By the library's best means. */
async function addOne(session) {
  if (session.update) await session.update("count", (count = 0) => count + 1);
  else await session.set("count", ((await session.get("count")) ?? 0) + 1);
}

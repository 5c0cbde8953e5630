// Tenure's sessions in Redis, which fails to load them on command, and which can be stolen.
"use strict";

const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const { RESP_TYPES, createClient } = require("redis");

const SCRIPTS = path.join(__dirname, "../../../crates/redis/src/scripts");
/** By which an instance loads a session that it has not seen lately. */
const LOADING = "touch.lua";

module.exports = async function watchedRedis(url) {
  const client = createClient({ url });
  await client.connect();
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    /** While loads fail, the server's user may run every script but the one that loads. */
    async failLoads(fail) {
      const others = fs.readdirSync(SCRIPTS).filter((name) => name !== LOADING);
      const rules = fail ? ["-evalsha", ...others.map((name) => `+evalsha|${hashOf(name)}`)] : ["+evalsha"];
      if (fail) await client.sendCommand(["ACL", "LOG", "RESET"]);
      await client.sendCommand(["ACL", "SETUSER", "default", ...rules]);
      // A probe that met no failure would have shown nothing.
      if (!fail && (await client.sendCommand(["ACL", "LOG"])).length === 0) throw new Error("no load has failed");
    },
    async dump() {
      const texts = [];
      for await (const keys of client.scanIterator()) {
        for (const key of keys) {
          const type = await client.type(key);
          texts.push(key, ...(type === "hash" ? Object.values(await bytes.hGetAll(key)).flatMap(textsOf) : await client.zRange(key, 0, -1)));
        }
      }
      return texts;
    },
  };
};

const hashOf = (name) => createHash("sha1").update(fs.readFileSync(path.join(SCRIPTS, name))).digest("hex");

const textsOf = (value) => [value.toString(), value.toString("base64url")];

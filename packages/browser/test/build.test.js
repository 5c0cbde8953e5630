import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { FILE, built } from "../build.js";

test("the file that pages include is what the sources make", async () => {
  assert.equal(await readFile(FILE, "utf8"), await built(), "run `npm run build`");
});

test("it is under 6 KiB, not compressed", async () => {
  const { byteLength } = await readFile(FILE);
  assert.ok(byteLength < 6 * 1024, `${byteLength} bytes`);
});

// One contender in a process of its own, which says how much of the processor it has used.
"use strict";

const { served } = require("./contenders");

const [name, bytes, redisUrl] = process.argv.slice(2);

served(name, Number(bytes), redisUrl || undefined).then((site) => {
  process.send(site);
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send({ microseconds: user + system });
  });
});

// A line to a server that can be held, and cut: for stores that are slow, and for those that fail in the middle.
"use strict";

const net = require("node:net");
const { once } = require("node:events");

const { milestone } = require("./engine");

/** Stands in front of the server that a URL names; `url` is the URL of this one. */
exports.lineTo = async function (url) {
  const target = new URL(url);
  const sockets = new Set();
  let held;
  let isCut = false;

  const server = net.createServer((near) => {
    if (isCut) return near.destroy();
    const far = net.connect(Number(target.port), target.hostname);
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    far.on("data", (chunk) => near.write(chunk));
    near.on("data", (chunk) => {
      if (!held) return far.write(chunk);
      held.chunks.push(() => far.write(chunk));
      held.asked.reach();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const own = new URL(url);
  own.port = String(server.address().port);

  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: own.href.replace(/\/$/, ""),
    /** From now on nothing gets through; what comes back is reached when something was asked. */
    hold() {
      held = { asked: milestone(), chunks: [] };
      return held.asked.reached;
    },
    release() {
      const { chunks } = held;
      held = undefined;
      for (const send of chunks) send();
    },
    cut,
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
};

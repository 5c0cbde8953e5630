// Sending headers, on HTTP/1 and HTTP/2.
"use strict";

/** HTTP/2's responses send their headers without `writeHead`, which is where listeners for headers sit. */
const sendsHeadersUnseen = (res) => typeof res._implicitHeader !== "function";

/** HTTP/2 has none, and Node warns of whoever looks at it. */
exports.hasStatusMessage = (res) => !sendsHeadersUnseen(res);

/** Sends the headers if that has not happened. */
exports.sendHeaders = function (res) {
  if (res.headersSent) return;
  if (sendsHeadersUnseen(res)) res.writeHead(res.statusCode);
  else res._implicitHeader();
};

/** Lets listeners for headers hear of a `write` that sends them. */
exports.announceHeaders = function (res) {
  if (!sendsHeadersUnseen(res)) return;
  const { write, end } = res;
  res.write = function (...args) {
    exports.sendHeaders(res);
    return write.apply(res, args);
  };
  res.end = function (...args) {
    if (!res.writableEnded) exports.sendHeaders(res);
    return end.apply(res, args);
  };
};

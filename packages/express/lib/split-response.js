// Ending a response as express-session does: all but the last byte is sent before the store has answered.
"use strict";

const { sendHeaders } = require("./response-headers");

exports.endAround = function (res, { end, write }, [chunk, encoding], callStore, next) {
  let result;
  let sync = true;

  callStore((error) => {
    if (error) setImmediate(next, error);
    if (!sync) {
      end.call(res);
      return;
    }
    result = end.call(res, chunk, encoding);
    sync = false;
  });
  if (!sync) return result;

  sendHeaders(res);
  if (chunk === null || chunk === undefined) {
    result = true;
    return result;
  }

  const contentLength = Number(res.getHeader("Content-Length"));
  if (!isNaN(contentLength) && contentLength > 0) {
    chunk = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, encoding);
    encoding = undefined;
    if (chunk.length !== 0) {
      result = write.call(res, chunk.slice(0, chunk.length - 1));
      chunk = chunk.slice(chunk.length - 1);
      return result;
    }
  }

  result = write.call(res, chunk, encoding);
  sync = false;
  return result;
};

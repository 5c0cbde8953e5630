// The times of a session as the addon tells them, as dates.
"use strict";

const toDate = (millis) => (millis == null ? undefined : new Date(millis));

exports.timesOf = ({ createdAt, signedInAt, lastSeenAt, idleDeadline, absoluteDeadline }) => ({
  createdAt: toDate(createdAt),
  signedInAt: toDate(signedInAt),
  lastSeenAt: toDate(lastSeenAt),
  idleDeadline: toDate(idleDeadline),
  absoluteDeadline: toDate(absoluteDeadline),
});

// What is said. Each is replaced by an attribute of the element: `text-stay="Angemeldet bleiben"`. {time} stands for
// what is left, which the browser puts into words of the page's language.

/** @type {Record<string, string>} */
export const TEXTS = {
  "idle-title": "Are you still there?",
  "idle": "Your session ends in {time}, to keep your data safe.",
  "absolute-title": "Your session ends soon",
  "absolute": "It ends in {time}, which can’t be extended. Save your work, then sign in again.",
  "doubt-title": "Your session may have ended",
  "doubt": "This page is hidden until the server answers.",
  "end-title": "Your session has ended",
  "idle-timeout": "There was no activity for a while.",
  "absolute-timeout": "It reached its time limit.",
  "signed-out": "You signed out.",
  "ended": "It was ended in another window or device.",
  "left": "{time} left",
  "failed": "The server can’t be reached.",
  "stay": "Stay signed in",
  "continue": "Continue",
  "sign-out": "Sign out",
  "close": "OK, I’ll save my work",
  "sign-in": "Sign in again",
  "retry": "Try again",
};

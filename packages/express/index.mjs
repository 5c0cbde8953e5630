import session from "./index.js";

export default session;
export const { Cookie, MemoryStore, Session, SessionError, Store, connect, secretFrom } = session;

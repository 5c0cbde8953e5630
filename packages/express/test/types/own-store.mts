// A store of one's own inherits from Store.
import session, { MemoryStore, Session, Store, type SessionData } from "tenure-express";

class MapStore extends Store {
  readonly #sessions = new Map<string, string>();

  get(sid: string, callback: (err: unknown, session?: SessionData | null) => void): void {
    const json = this.#sessions.get(sid);
    callback(null, json === undefined ? null : (JSON.parse(json) as SessionData));
  }

  set(sid: string, session: SessionData, callback?: (err?: unknown) => void): void {
    this.#sessions.set(sid, JSON.stringify(session));
    callback?.();
  }

  destroy(sid: string, callback?: (err?: unknown) => void): void {
    this.#sessions.delete(sid);
    callback?.();
  }
}

// @ts-expect-error: it cannot set and destroy.
class HalfAStore extends Store {
  get(sid: string, callback: (err: unknown, session?: SessionData | null) => void): void {
    callback(null, null);
  }
}

const store = new MapStore();
store.emit("disconnect");
session({ secret: "a", store });
store.load("sid", (_error, loaded) => loaded?.cookie.originalMaxAge);

new MemoryStore().length((_error, count) => count?.toFixed());
// @ts-expect-error: nothing but a subclass can be made.
new Store();
// @ts-expect-error: the middleware makes sessions.
new Session();

export { HalfAStore, MapStore };

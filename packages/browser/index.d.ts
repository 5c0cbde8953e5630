/** What the server says of the session. Times are milliseconds since the Unix epoch, spans are milliseconds. */
export type Report =
  | {
      state: "live";
      /** The server's time. */
      now: number;
      /** When the session ends if nobody is active before. */
      idle_deadline: number;
      /** When it ends whatever happens. */
      absolute_deadline: number;
      /** How much time activity gives. */
      idle_timeout: number;
      lifetime: "standard" | "remembered";
      signed_in: boolean;
      /** Stands for the signed-in user: the same for the same user, another for another. */
      user: string | null;
    }
  | { state: "none"; now: number; reason: EndReason | "no-cookie" | "undecided" };

export type EndReason = "idle-timeout" | "absolute-timeout" | "signed-out" | "ended";

/** `<tenure-session-timeout>` */
export interface SessionTimeoutElement extends HTMLElement {
  /** Asks the server how the session stands. No activity. Resolves to whether the server was reached. */
  check(): Promise<boolean>;
  /** Says "I am still here", which is activity. Resolves to whether the server was reached. */
  extend(): Promise<boolean>;
  /** Signs out, in all tabs. Resolves to whether the server was reached. */
  signOut(): Promise<boolean>;

  addEventListener<Type extends keyof SessionTimeoutEventMap>(
    type: Type,
    listener: (this: SessionTimeoutElement, event: SessionTimeoutEventMap[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** They do not bubble. All but the first can be prevented, which leaves what they announce to the page. */
export interface SessionTimeoutEventMap {
  /** The server has said how the session stands, to this tab or to another. */
  "tenure-session-status": CustomEvent<Report>;
  /** The idle deadline is near: a dialog is about to open. */
  "tenure-session-idle": CustomEvent;
  /** The absolute deadline is near: a dialog is about to open. */
  "tenure-session-absolute": CustomEvent;
  /**
   * By what is known here the session is over, and the server does not answer: a dialog is about to open over the page,
   * which is hidden. Prevented, the page is no longer hidden: that is then its own to do, too.
   */
  "tenure-session-doubt": CustomEvent;
  /** It is over: the page is about to be emptied. */
  "tenure-session-end": CustomEvent<EndReason>;
}

declare global {
  interface HTMLElementTagNameMap {
    "tenure-session-timeout": SessionTimeoutElement;
  }
}

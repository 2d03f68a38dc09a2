import type { Handle } from "../in-root.ts";

/** What the steps of a mount say to the caller; each method records it. */
export interface MountTalk {
  /** The next step is there for one that was not permitted. */
  instead(): void;
  /** Has one open directory copied into another, and waits until that is done. */
  copyUp(source: Handle, target: Handle): void;
}

/** Where nobody listens, and there is nothing to be answered. */
export const silentTalk: MountTalk = Object.freeze({ instead: () => {}, copyUp: () => {} });

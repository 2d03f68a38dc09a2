import type { ConsoleSize } from "../../spec/types.ts";

/** The pseudoterminal of the container's process, from the container's own devpts. */
export type PlannedTerminal =
  | { readonly kind: "none" }
  | {
      readonly kind: "new";
      /** Rows and columns; 0 and 0 leave what the kernel has. */
      readonly height: number;
      readonly width: number;
      readonly uid: number;
    };

/** config.json's size is ignored without a terminal, as the specification says. */
export function planTerminal(terminal: boolean, size: ConsoleSize | undefined, uid: number): PlannedTerminal {
  if (!terminal) return { kind: "none" };
  return { kind: "new", height: size?.height ?? 0, width: size?.width ?? 0, uid };
}

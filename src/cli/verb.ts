import type { SubCommandsDef } from "citty";

// citty's own type of a command whose arguments are not known here.
type Command = Exclude<Awaited<SubCommandsDef[string]>, (...args: never[]) => unknown>;

/** "command": a command line, before which options may stand; "arguments": whatever follows, options or not. */
export type Payload = "command" | "arguments";

export interface Loaded {
  readonly command: Command;
}

/** A command as the list of commands has it. */
export interface Verb {
  readonly description: string;
  /** What follows its positionals is another program's. */
  readonly payload?: Payload;
  /** Its exit status when it fails; 1 unless given. */
  readonly failure?: number;
  /** The rest of it: there already, or loaded only to run it, or to print its help. */
  load(): Loaded | Promise<Loaded>;
}

export type Verbs = Readonly<Record<string, Verb>>;

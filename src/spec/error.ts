import { describe } from "./describe.ts";

/**
 * A configuration that cannot be used: what stands in config.json, and what would be right.
 *
 * The message is one line, `PATH SENTENCE`, as in `process.cwd is "tmp": it must be an absolute path`.
 * `path` is the JSON path of the property, as in `mounts[3].options[0]`; it is empty for the document itself,
 * which the message then calls config.json.
 */
export class SpecError extends Error {
  override readonly name = "SpecError";
  readonly path: string;
  readonly sentence: string;

  /** `sentence` continues the path: it begins with a verb, and ends without a full stop. */
  constructor(path: string, sentence: string, options?: ErrorOptions) {
    super(`${path === "" ? "config.json" : path} ${sentence}`, options);
    this.path = path;
    this.sentence = sentence;
  }
}

/** The commonest SpecError: `wrong("process.cwd", "tmp", "an absolute path")` says that cwd must be one. */
export function wrong(path: string, found: unknown, right: string): SpecError {
  return new SpecError(path, `is ${describe(found)}: it must be ${right}`);
}

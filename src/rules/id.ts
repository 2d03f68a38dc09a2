import { SpecError, wrong } from "../spec/error.ts";

const LONGEST = 1024;
const ALLOWED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";

/**
 * Refuses a container id that cannot safely name a directory: 1 to 1024 letters, digits and `_ + - .`, not beginning
 * with a dot (so neither `.` nor `..`). Every verb calls this first.
 *
 * @throws SpecError whose path is `container id`.
 */
export function checkId(id: string): void {
  if (id.length > LONGEST) {
    throw new SpecError("container id", `has ${id.length} characters: ${LONGEST} is the most`);
  }
  let sound = id !== "" && id[0] !== ".";
  // A loop, for compiling a regular expression would cost every call of the runtime 40 µs.
  for (let at = 0; at < id.length; at += 1) sound &&= ALLOWED.includes(id.charAt(at));
  if (!sound) throw wrong("container id", id, "letters, digits and _ + - . and not begin with a dot");
}

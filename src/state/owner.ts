import { readText } from "../../ffi/file.ts";
import { attempt } from "../../ffi/libc.ts";

/** The name of a user in the text of a passwd(5) file; the number in decimal when it has none. */
export function userName(passwd: string, uid: number): string {
  for (const line of passwd.split("\n")) {
    const [name, , number] = line.split(":");
    if (name && number === String(uid)) return name;
  }
  return String(uid);
}

/** The name of the user who runs this command, for StateRecord.owner. */
export function owner(): string {
  const uid = attempt.geteuid();
  try {
    return userName(readText("/etc/passwd"), uid);
  } catch {
    return String(uid);
  }
}

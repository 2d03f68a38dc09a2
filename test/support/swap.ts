/**
 * A racer: exchanges two paths as fast as it can until it is killed. `bun swap.ts FIRST SECOND`.
 * What the runtime has checked is something else by the time it uses it, unless it holds on to it.
 */
import { dlopen, ptr } from "bun:ffi";

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

const { symbols } = dlopen("libc.so.6", {
  renameat2: { args: ["int", "ptr", "int", "ptr", "u32"], returns: "int" },
});
const [first = "", second = ""] = process.argv.slice(2).map((path) => Buffer.from(`${path}\0`));

for (;;) {
  for (let count = 0; count < 1000; count++) {
    symbols.renameat2(AT_FDCWD, ptr(first as Buffer), AT_FDCWD, ptr(second as Buffer), RENAME_EXCHANGE);
  }
  // Lets a signal in.
  await Bun.sleep(0);
}

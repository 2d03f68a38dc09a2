import { expect, test } from "bun:test";
import { userName } from "./owner.ts";

test("the owner is a name when there is one", () => {
  const passwd = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
  expect(userName(passwd, 1000)).toBe("ann");
  expect(userName(passwd, 1001)).toBe("1001");
});

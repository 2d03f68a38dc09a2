import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { O, S } from "../../../ffi/constants/file.ts";
import { openFile } from "../../../ffi/file.ts";
import { factsOf, Owners, parseRemembered, type Remembered, renderRemembered } from "./owners.ts";

const directory = mkdtempSync(join(tmpdir(), "bunc-owners-"));
afterAll(() => rmSync(directory, { recursive: true }));

const plain: Remembered = { uid: 12, gid: 34, device: null };
const device: Remembered = {
  uid: 0,
  gid: 4_294_967_294,
  device: { type: S.IFBLK, major: 259, minor: 1_048_575 },
};

describe("the attribute", () => {
  test("is a line that people can read", () => {
    expect(renderRemembered(plain)).toBe("12:34");
    expect(renderRemembered(device)).toBe("0:4294967294 b 259:1048575");
    for (const remembered of [plain, device])
      expect(parseRemembered(renderRemembered(remembered))).toEqual(remembered);
  });

  test("that says anything else is not there: the container can write it", () => {
    for (const text of [
      "",
      "1",
      "1:",
      "a:b",
      "-1:2",
      "1:4294967296",
      "1:4294967295",
      "1:2 x 1:2",
      "1:2 c 1",
      " 1:2",
      "1:2\n",
    ]) {
      expect(parseRemembered(text)).toBeUndefined();
    }
  });
});

describe("owners", () => {
  const remember = (owners: Owners, name: string, remembered: Remembered) => {
    using file = openFile(join(directory, name), O.PATH | O.NOFOLLOW);
    const facts = factsOf(file.fd);
    if (facts) owners.remember(file.fd, facts, remembered);
  };
  const recall = (owners: Owners, name: string) => {
    using file = openFile(join(directory, name), O.PATH | O.NOFOLLOW);
    const facts = factsOf(file.fd);
    return facts && owners.recall(file.fd, facts);
  };

  test("of what cannot have the attribute are known to who was told; nobody else's are", () => {
    symlinkSync("x", join(directory, "link"));
    symlinkSync("x", join(directory, "other"));
    const owners = new Owners();
    remember(owners, "link", plain);
    expect(recall(owners, "link")).toEqual(plain);
    expect(recall(owners, "other")).toBeUndefined();
    expect(recall(new Owners(), "link")).toBeUndefined();
  });

  test("are not without end in memory: the one told longest ago goes", () => {
    const owners = new Owners(2);
    for (const name of ["a", "b", "c"]) symlinkSync("x", join(directory, name));
    remember(owners, "a", plain);
    remember(owners, "b", plain);
    remember(owners, "a", device);
    remember(owners, "c", plain);
    expect(["a", "b", "c"].map((name) => recall(owners, name))).toEqual([device, undefined, plain]);
  });

  test("of a file are known, wherever the file system keeps them", () => {
    writeFileSync(join(directory, "file"), "");
    const owners = new Owners();
    remember(owners, "file", plain);
    expect(recall(owners, "file")).toEqual(plain);
    remember(owners, "file", device);
    expect(recall(owners, "file")).toEqual(device);
  });
});

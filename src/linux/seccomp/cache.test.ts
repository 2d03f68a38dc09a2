import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFile, writeFile } from "../../../ffi/file.ts";
import { cacheCapacity, cacheKey, openCache, readEntry, writeEntry } from "./cache.ts";

let root = "";
let path = "";
let logged: string[] = [];
const log = (message: string) => logged.push(message);
const filter = new Uint8Array(80).map((_, index) => index);
const key = cacheKey("a profile");

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "seccomp-"));
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  path = join(root, crypto.randomUUID());
  logged = [];
});

function write(...keys: string[]): void {
  using directory = openCache(path, log);
  if (!directory) throw new Error("no cache");
  for (const each of keys) writeEntry(directory.fd, each, filter, log);
}

function read(): Uint8Array | undefined {
  using directory = openCache(path, log);
  return directory && readEntry(directory.fd, key, log);
}

test("what is written is read again, from a directory for its owner alone", () => {
  write(key);
  expect(read()).toEqual(filter);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(readdirSync(path)).toEqual([key]);
  expect(logged).toEqual([]);
});

test("an entry that is not there is no trouble", () => {
  expect(read()).toBeUndefined();
  expect(logged).toEqual([]);
});

test("an entry that was cut short or changed is not loaded, and is written anew", () => {
  write(key);
  const whole = readFile(join(path, key));
  const changed = whole.slice();
  changed[50] = 1;
  for (const damaged of [
    whole.slice(0, 48),
    whole.slice(0, 47),
    whole.slice(0, 8),
    new Uint8Array(),
    changed,
  ]) {
    writeFile(join(path, key), damaged);
    expect(read()).toBeUndefined();
  }
  expect(logged.length).toBe(5);
  write(key);
  expect(read()).toEqual(filter);
});

test("a directory that others can write to is not used", () => {
  write(key);
  chmodSync(path, 0o770);
  expect(read()).toBeUndefined();
  expect(logged.join()).toContain("others than its owner can write to it");
});

test.skipIf(process.getuid?.() !== 0)("a directory of another owner is not used", () => {
  write(key);
  chownSync(path, 65534, 65534);
  expect(read()).toBeUndefined();
  expect(logged.join()).toContain("is not used");
});

test("a link is not followed, neither as the directory nor as an entry", () => {
  write(key);
  const real = path;
  path = join(root, crypto.randomUUID());
  symlinkSync(real, path);
  expect(read()).toBeUndefined();
  path = join(root, crypto.randomUUID());
  mkdirSync(path, { mode: 0o700 });
  symlinkSync(join(real, key), join(path, key));
  expect(read()).toBeUndefined();
  expect(logged.length).toBe(2);
});

test("a directory that cannot be made is no error", () => {
  path = "/proc/no/such";
  expect(read()).toBeUndefined();
  expect(logged.length).toBe(1);
});

test("the number of entries is bounded: the oldest go", async () => {
  const keys = Array.from({ length: 40 * cacheCapacity }, (_, index) => cacheKey(`profile ${index}`));
  const [old, young] = [keys.slice(0, 5), keys.slice(5, cacheCapacity + 4)];
  write(...old.filter((key) => !key.startsWith("0")));
  await Bun.sleep(20);
  write(...young);
  const last = keys.slice(cacheCapacity + 4).find((key) => key.startsWith("0")) ?? "";
  write(last);
  expect(readdirSync(path).sort()).toEqual([...young, last].sort());
  // However many there come to be: between two that count there are hardly ever more than some dozens.
  write(...keys);
  expect(readdirSync(path).length).toBeLessThan(3 * cacheCapacity);
});

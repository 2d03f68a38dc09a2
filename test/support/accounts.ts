/** Plain users for the tests: one with subordinate ids, one with none. Root makes them when they are missing. */
import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { hasProgram, isRoot, searchPath } from "./machine.ts";

export interface Account {
  name: string;
  uid: number;
  gid: number;
  /** What to put before a command so that it runs as this user. */
  become: string[];
}

export const rootAccount: Account = { name: "root", uid: 0, gid: 0, become: [] };

function find(name: string): Account | undefined {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  if (line === undefined) return undefined;
  const [uid, gid] = line.split(":").slice(2, 4).map(Number);
  const ids = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  return { name, uid: uid ?? 0, gid: gid ?? 0, become: ["setpriv", ...ids, "--"] };
}

function make(name: string): Account {
  const found = find(name);
  if (found !== undefined) return found;
  // A system user gets no subordinate ids by itself.
  const flags = [
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir",
    "/nonexistent",
    "--shell",
    "/bin/sh",
  ];
  execFileSync("useradd", [...flags, name], { env: { PATH: searchPath } });
  const made = find(name);
  if (made === undefined) throw new Error(`useradd made no user ${name}`);
  return made;
}

/** The first id after all that `file` gives away, and never below a million. */
function freeId(file: string): number {
  const ends = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":").slice(1).map(Number))
    .map(([first = 0, count = 0]) => first + count);
  return Math.max(1_000_000, ...ends);
}

const subordinate = 65_536;

/** A user with 65,536 subordinate user and group ids. */
export function withSubordinateIds(): Account {
  const account = make("bunc-test-sub");
  for (const file of ["/etc/subuid", "/etc/subgid"]) {
    const text = readFileSync(file, "utf8");
    if (!text.includes(`${account.name}:`))
      appendFileSync(file, `${account.name}:${freeId(file)}:${subordinate}\n`);
  }
  return account;
}

/** A user without any. */
export const withoutSubordinateIds = (): Account => make("bunc-test-none");

/** Whether such users can be had here. */
export const canMakeAccounts = isRoot && hasProgram("useradd") && hasProgram("setpriv");

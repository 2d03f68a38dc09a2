/** Tests that a peer cannot pass, or need not: each says why, so that the suite documents where runtimes differ. */
import { test } from "bun:test";
import { isRoot, type RuntimeKind, runtimeKind } from "./machine.ts";

type Body = () => void | Promise<void>;
type Define = (title: string, body: Body, timeout?: number) => void;

/** Why a runtime does not take part in a test. */
export type Differences = Partial<Record<RuntimeKind, string>>;

/** A test that the runtimes named do not take part in, for the reason given: it is skipped there, with the reason in its title. */
export function peersDiffer(reasons: Differences): Define {
  const reason = reasons[runtimeKind];
  return (title, body, timeout) =>
    reason === undefined
      ? rootTest(title, body, timeout)
      : test.skip(`${title} (${runtimeKind}: ${reason})`, body);
}

/** A test of bunc's own design, which no peer shares. */
export const oursOnly: Define = peersDiffer({ runc: "bunc's own design", crun: "bunc's own design" });

/** A test that needs root; skipped for anyone else. */
export function rootTest(title: string, body: Body, timeout?: number): void {
  if (isRoot) test(title, body, timeout);
  else test.skip(`${title} (needs root)`, body);
}

/** A test that needs something of the machine. */
export function testIf(condition: boolean, otherwise: string): Define {
  return (title, body, timeout) =>
    condition ? rootTest(title, body, timeout) : test.skip(`${title} (${otherwise})`, body);
}

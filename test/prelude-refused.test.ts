/** The kernel, or a filter of system calls, refuses what the prelude asks for: it comes to what it comes to in the engine. */
import { describe, expect } from "bun:test";
import { sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { asItComes, byEngine, outcome, tracedTest } from "./support/prelude.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("prelude-refused");
const root = ["--root", box.state];

async function make(...verbs: string[]): Promise<Container> {
  const container = await box.create(sleeper());
  for (const verb of verbs) await container.call(verb, ...(verb === "kill" ? ["KILL"] : []));
  if (verbs.includes("kill")) await container.exit();
  return container;
}

/** Commands, what must have been done before, and what they ask the kernel for that the engine does not need to begin. */
const cases: readonly [string, string[], string[]][] = [
  ["state", ["start"], ["faccessat2"]],
  ["start", [], ["faccessat2", "flock", "ppoll", "unlinkat"]],
  ["kill", ["start"], ["pidfd_open", "pidfd_send_signal"]],
  ["delete", ["start", "kill"], ["faccessat2", "flock", "getdents64", "unlinkat"]],
];

describe.each(cases)("%s", (verb, before, calls) => {
  for (const call of calls) {
    for (const error of ["EPERM", "ENOSYS"]) {
      tracedTest(`${call} fails with ${error}`, async () => {
        const wrap = ["strace", "-o", "/dev/null", "-e", `inject=${call}:error=${error}`];
        const [one, other] = [await make(...before), await make(...before)];
        const engine = outcome(other, await byEngine([...root, verb, other.id], { wrap }));
        const usual = outcome(one, await asItComes([...root, verb, one.id], { wrap }));
        // Once the process runs, the prelude can only tell in its own words what has failed.
        const late = verb === "start" && (call === "ppoll" || call === "unlinkat");
        const stderr = late ? expect.stringMatching(new RegExp(`^bunc: ${call}: .*\n$`)) : engine.stderr;
        expect(usual).toEqual({ ...engine, stderr });
        expect(engine.stderr === "").toBe(engine.status === 0);
      });
    }
  }
});

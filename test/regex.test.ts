/** kill --regex and delete --regex: every container whose id an expression fits, as crun has it. */
import { describe, expect } from "bun:test";
import { sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { oursOnly, peersDiffer } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("regex");
const regexTest = peersDiffer({ runc: "it has no such option" });

/** Three containers that run; the name is a part of the id of the first two. */
async function three(name: string): Promise<[Container, Container, Container]> {
  const start = async (id: string): Promise<Container> => {
    const container = await box.create(sleeper(), { id: `bunc-test-${process.pid}-${id}` });
    await container.start();
    return container;
  };
  return [
    await start(`${name}-1`),
    await start(`${name}-2`),
    await start(`other-than-${name.toUpperCase()}`),
  ];
}

describe("kill --regex", () => {
  regexTest("signals all that fit, and no other", async () => {
    const [first, second, other] = await three("kill");
    const pattern = `^bunc-test-${process.pid}-kill-[12]$`;
    expect((await box.runtime(["kill", "--regex", pattern, "KILL"])).status).toBe(0);
    expect([await first.exit(), await second.exit()]).toEqual([137, 137]);
    expect(await other.status()).toBe("running");
  });
});

describe("delete --regex", () => {
  regexTest("removes all that fit, and no other", async () => {
    const [first, second, other] = await three("remove");
    const pattern = `${process.pid}-remove-`;
    expect((await box.runtime(["delete", "-r", "-f", pattern])).status).toBe(0);
    expect((await first.call("state")).status).not.toBe(0);
    expect((await second.call("state")).status).not.toBe(0);
    expect(await other.status()).toBe("running");
  });

  oursOnly("one that fails does not keep it from the others", async () => {
    const [first, second] = await three("half");
    await second.kill("KILL");
    await second.exit();
    const { status, stderr } = await box.runtime(["delete", "--regex", `${process.pid}-half-`]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(`${first.id}: container "${first.id}" is running`),
    ]);
    expect((await second.call("state")).stderr).toContain("does not exist");
  });

  oursOnly("what is no expression is refused; none that fits is no error", async () => {
    const { status, stderr } = await box.runtime(["delete", "--regex", "("]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("delete: --regex: ")]);
    expect((await box.runtime(["delete", "--regex", "no-such-id"])).status).toBe(0);
  });
});

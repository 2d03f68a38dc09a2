import { expect, test } from "bun:test";

const program = `
  const { endStage, isTimed, renderStages } = await import("./timing.ts");
  endStage("first");
  endStage("second");
  process.stdout.write(isTimed ? renderStages() : "nothing");
`;

function run(environment: Record<string, string>): string[] {
  const { stdout } = Bun.spawnSync([process.execPath, "-e", program], {
    cwd: import.meta.dir,
    env: { ...process.env, ...environment },
  });
  return stdout.toString().split("\n");
}

test("each stage has a line, in order, and the last line is their sum", () => {
  const stages = run({ BUNC_TIMING: "1" }).map((line) => /^ *[\d.]+ +[\d.]+ {2}(.+)$/.exec(line)?.[1]);
  expect(stages).toEqual([undefined, "first", "second", "in all", undefined]);
});

test("nothing is printed when nobody asks", () => {
  expect(run({ BUNC_TIMING: "" })).toEqual(["nothing"]);
});

/** Records that are damaged, of another version, too long, or somebody's invention: the engine says what is wrong with them. */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, isAlive } from "./support/command.ts";
import { sleeper } from "./support/config.ts";
import type { Container } from "./support/container.ts";
import { asItComes, byEngine, traced, tracedTest } from "./support/prelude.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("prelude-records");
const root = ["--root", box.state];
const recordOf = (container: Container) => join(box.state, container.id, "state.json");

async function running(): Promise<Container> {
  const container = await box.create(sleeper());
  await container.start();
  return container;
}

describe("records", () => {
  const brief = /^\{"brief":\[(\d+),(\d+),(\d+),(\d+),(\d+),(\d+),(\d+),/;
  const withNumber = (which: number, value: string) => (text: string) => {
    const numbers = brief.exec(text)?.slice(1) ?? [];
    numbers[which] = value;
    return text.replace(brief, `{"brief":[${numbers.join(",")},`);
  };
  const huge = [
    "0",
    "1".repeat(30),
    "9".repeat(19),
    "18446744073709551615",
    "1".repeat(700),
    "7".repeat(9000),
    "1".repeat(20000),
  ];
  const damages: [string, (text: string) => string][] = [
    ["empty", () => ""],
    ["a byte", () => "{"],
    ["cut in the brief part", (text) => text.slice(0, 100)],
    ["cut in the printed part", (text) => text.slice(0, text.indexOf('"rootfs"'))],
    ["cut by a byte", (text) => text.slice(0, -1)],
    ["a byte too long", (text) => `${text} `],
    [
      "of a newer bunc",
      (text) => text.replace('"version":1', '"version":2').replace(brief, '{"brief":[201,$2,$3,$4,$5,$6,$7,'),
    ],
    ["of an older bunc", (text) => JSON.stringify({ ...JSON.parse(text), brief: undefined })],
    ["longer than 24 KiB", (text) => text.replace('"owner"', `"other": "${"x".repeat(30_000)}",\n  "owner"`)],
    ["longer than 24 KiB at its end", (text) => text + " ".repeat(24 * 1024 - text.length)],
    ["of another id", (text) => text.replace(/"id": "/, '"id": "x')],
    ["all of zeros", (text) => "\0".repeat(text.length)],
    ["with a zero in the brief part", (text) => text.replace('"/sys', '"/\0ys')],
    ["without an end of the brief part", (text) => text.replace(/^[^\]]*\]/, (part) => part.slice(0, -1))],
    ...[0, 1, 4, 5, 6].flatMap((which) =>
      huge.map((value): [string, (text: string) => string] => [
        `number ${which} of the brief part is ${value.slice(0, 20)}, of ${value.length} digits`,
        withNumber(which, value),
      ]),
    ),
  ];

  tracedTest(
    "that are cut, damaged, of another version or too long: no command crashes, and each says the same",
    async () => {
      const container = await running();
      const text = readFileSync(recordOf(container), "utf8");
      for (const [title, damage] of damages) {
        writeFileSync(recordOf(container), damage(text));
        for (const line of [["state"], ["kill", "WINCH"], ["start"], ["delete"]]) {
          const [verb = "", ...rest] = line;
          const args = [...root, verb, container.id, ...rest];
          const engine = await byEngine(args);
          expect([title, line, await asItComes(args)]).toEqual([title, line, engine]);
        }
        expect((await traced(box, [...root, "state", container.id])).worker).toBe("engine");
        // Nothing was removed or ended.
        expect([title, isAlive(container.pid), existsSync(recordOf(container))]).toEqual([title, true, true]);
      }
      writeFileSync(recordOf(container), text);
      expect(await container.status()).toBe("running");
    },
  );

  tracedTest("of a container with many annotations", async () => {
    const container = await box.create(
      sleeper(
        (result) =>
          (result.annotations = Object.fromEntries(
            Array.from({ length: 900 }, (_, index) => [`key-${index}`, "ü".repeat(20)]),
          )),
      ),
    );
    const engine = await byEngine([...root, "state", container.id]);
    const { worker, ...usual } = await traced(box, [...root, "state", container.id]);
    expect([worker, usual]).toEqual(["engine", engine]);
    expect(engine.status).toBe(0);
  });

  tracedTest("that are not there, or no files", async () => {
    const container = await running();
    const hidden = join(box.path, "hidden");
    renameSync(recordOf(container), hidden);
    for (const make of [() => {}, () => mkdirSync(recordOf(container))]) {
      make();
      for (const verb of ["state", "kill", "start", "delete"]) {
        const args = [...root, verb, container.id];
        const engine = await byEngine(args);
        expect([verb, await asItComes(args)]).toEqual([verb, engine]);
        expect(engine.status).toBe(1);
      }
    }
    await command(["rmdir", recordOf(container)]);
    renameSync(hidden, recordOf(container));
  });
});

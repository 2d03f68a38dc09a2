import { expect, test } from "bun:test";
import { parseOptions, UsageError } from "./options.ts";

const parse = (...args: string[]) => {
  const options = parseOptions(args);
  if (!options) throw new Error("help");
  return options;
};

test("everything is measured unless something is asked for", () => {
  const { rounds, builds, candidates, verbs, parts } = parse();
  expect({ rounds, builds }).toEqual({ rounds: 120, builds: 4 });
  expect(candidates.map(({ name }) => name)).toEqual(["bunc", "crun", "runc"]);
  expect([...verbs]).toEqual(["create", "start", "state", "kill", "delete", "lifecycle", "run"]);
  expect([...parts]).toEqual(["alone", "cgroups", "memory", "buildah", "many"]);
});

test("--quick is few rounds and containers, --rounds is any number", () => {
  expect(parse("--quick")).toMatchObject({ rounds: 6, many: 100 });
  expect(parse("--quick", "--rounds", "300")).toMatchObject({ rounds: 300, builds: 10 });
});

test("--only with verbs measures these, without cgroups", () => {
  const { verbs, parts } = parse("--only", "state,kill");
  expect([[...verbs], [...parts]]).toEqual([["state", "kill"], ["alone"]]);
});

test("--only with a part measures all verbs in it", () => {
  const { verbs, parts } = parse("--only=cgroups");
  expect([verbs.size, [...parts]]).toEqual([7, ["cgroups"]]);
});

test.each([
  ["buildah,run", ["buildah", "alone"]],
  ["cgroups,run", ["cgroups"]],
  ["cgroups,alone,run", ["cgroups", "alone"]],
])("--only %s measures the verb in %j", (words, parts) => {
  expect([...parse("--only", words).parts]).toEqual(parts);
});

test("runtimes are left out, moved and added", () => {
  const { candidates } = parse("--skip", "runc", "--runtime", "bunc=/x/bunc", "--runtime", "crun-1.29=/y");
  expect(candidates).toEqual([
    { name: "bunc", path: "/x/bunc" },
    { name: "crun", path: undefined },
    { name: "crun-1.29", path: "/y" },
  ]);
});

test.each([
  [["--only", "creat"], "--only creat: known are"],
  [["--skip", "youki"], "--skip youki: known are"],
  [["--runtime", "youki=/x"], "not NAME=PATH"],
  [["--rounds", "0"], "not a positive number"],
  [["--rounds", "many"], "not a positive number"],
  [["--many", "0"], "--many 0: not a positive number"],
  [["--round"], "--round"],
])("%j is refused", (args, message) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(message);
});

test("--help asks for nothing else", () => {
  expect(parseOptions(["--help"])).toBeUndefined();
});

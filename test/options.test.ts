/** Every command and option that runc and crun have, as their own help tells, is one of bunc's. */
import { describe, expect } from "bun:test";
import { command } from "./support/command.ts";
import { findProgram, runtimePath } from "./support/machine.ts";
import { oursOnly } from "./support/peers.ts";

/** What is left out, and why. */
const leftOut: Readonly<Record<string, string>> = {
  "runc init": "a step of runc's own, which it hides",
  "crun --usage": "argp's short help",
  "crun -?": "argp's letter for help, which a shell would expand",
};

/** Both streams: some write their help to one, and some to the other. */
async function help(program: string, ...words: string[]): Promise<string> {
  const { stdout, stderr } = await command([program, ...words, "--help"]);
  return stdout + stderr;
}

/** The options of a help: `--name`, `-n`. A name may be followed by its value, which is none. */
function options(text: string): string[] {
  const found = new Set<string>();
  for (const line of text.split("\n")) {
    if (!/^\s{2,}-/.test(line)) continue;
    // The description begins after two spaces.
    const [forms = ""] = line.trim().split(/ {2,}/);
    for (const [form] of forms.matchAll(/(?<![\w-])--?[a-zA-Z?][\w-]*/g)) found.add(form);
  }
  return [...found];
}

/** The commands of a help: indented, a word, two spaces or a dash, and what it does. */
function commands(text: string): string[] {
  const list = text.slice(text.search(/^COMMANDS:/m), text.search(/^(GLOBAL OPTIONS:|\s+--)/m));
  return [...list.matchAll(/^\s+([a-z]+)(?:, [a-z]+)?\s+/gm)].map((match) => match[1] ?? "");
}

for (const name of ["runc", "crun"]) {
  const peer = findProgram(name);

  describe(name, () => {
    oursOnly("every command, every option", async () => {
      if (peer === undefined) return;
      const [theirs, ours] = [await help(peer), await help(runtimePath)];
      const known = commands(ours);
      const lacking: string[] = [];
      const compare = (words: string, wanted: readonly string[], have: readonly string[]) => {
        for (const each of wanted) if (!have.includes(each)) lacking.push(`${words} ${each}`);
      };
      const list = commands(theirs);
      expect(list.length).toBeGreaterThan(10);
      compare(name, list, known);
      compare(name, options(theirs), options(ours));
      for (const verb of list.filter((each) => known.includes(each))) {
        compare(`${name} ${verb}`, options(await help(peer, verb)), options(await help(runtimePath, verb)));
      }
      const left = lacking.filter(
        (each) => !Object.keys(leftOut).some((key) => each === key || each.endsWith(key.replace(/^\S+/, ""))),
      );
      expect(left).toEqual([]);
    });
  });
}

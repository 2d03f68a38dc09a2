/** Completion scripts: what a shell offers at the end of a command line. */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { command, output } from "./support/command.ts";
import { sleeper } from "./support/config.ts";
import { hasProgram, runtimeKind, runtimePath } from "./support/machine.ts";
import { oursOnly, testIf } from "./support/peers.ts";
import { workspace } from "./support/workspace.ts";

const box = workspace("completion");

async function script(shell: string): Promise<string> {
  const path = join(box.directory("completion"), "script");
  await Bun.write(path, await output([runtimePath, "completion", shell]));
  return path;
}

/** What bash offers for the last of these words. */
async function bash(...words: string[]): Promise<string[]> {
  const code = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bunc; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const argv = ["bash", "-c", code, "bash", await script("bash"), runtimePath, ...words];
  const { stdout, stderr } = await command(argv);
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

describe("bash", () => {
  oursOnly("commands, and global options", async () => {
    expect(await bash("resu")).toEqual(["resume"]);
    expect(await bash("")).toEqual(expect.arrayContaining(["create", "delete", "help"]));
    expect(await bash("--log-f")).toEqual(["--log-format"]);
    expect(await bash("--log-format", "")).toEqual(["text", "json"]);
    expect(await bash("--log-format", "json", "sta")).toEqual(["start", "state"]);
  });

  oursOnly("options of a command, and their values", async () => {
    expect(await bash("create", "--no-")).toEqual(["--no-pivot", "--no-new-keyring", "--no-subreaper"]);
    expect(await bash("list", "--format", "j")).toEqual(["json"]);
    expect(await bash("list", "-f", "")).toEqual(["table", "json"]);
    expect(await bash("create", "--bundle", "/etc/def")).toEqual(["/etc/default"]);
    expect(await bash("update", "--memory", "")).toEqual([]);
  });

  oursOnly("arguments: containers, words, files, commands", async () => {
    const { id } = await box.create(sleeper());
    const root = ["--root", box.state];
    expect(await bash(...root, "state", id.slice(0, -1))).toContain(id);
    expect(await bash(...root, "ps", "--format", "json", "")).toEqual([id]);
    expect(await bash(...root, "state", id, "")).toEqual([]);
    expect(await bash("mounts", "")).toEqual(["add", "remove"]);
    expect(await bash("mounts", "add", "x", "/etc/host")).toContain("/etc/hosts");
    expect(await bash("completion", "z")).toEqual(["zsh"]);
    expect(await bash("help", "feat")).toEqual(["features"]);
  });
});

const ours = runtimeKind === "bunc";

describe("fish", () => {
  const fishTest = testIf(ours && hasProgram("fish"), "needs fish, and bunc");

  fishTest("commands, options, values", async () => {
    const path = await script("fish");
    const fish = async (line: string): Promise<string[]> => {
      const argv = ["fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, path, line];
      return (await output(argv, { env: { PATH: process.env.PATH ?? "", HOME: box.path } }))
        .trimEnd()
        .split("\n")
        .map((each) => each.split("\t")[0] ?? "");
    };
    expect(await fish("bunc resu")).toEqual(["resume"]);
    expect(await fish("bunc list --format ")).toEqual(["json", "table"]);
    expect(await fish("bunc list --qui")).toEqual(["--quiet"]);
    expect(await fish("bunc mounts ad")).toContain("add");
  });
});

describe("zsh", () => {
  const zshTest = testIf(ours && hasProgram("zsh"), "needs zsh, and bunc");

  zshTest("the script can be read", async () => {
    expect(await command(["zsh", "-n", await script("zsh")])).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  zshTest("commands, options, values", async () => {
    // In the place of zsh's own functions: they show what they are given, and go on as after `bunc list …`.
    const code = `
      compdef() { :; }
      _describe() { print -r -- "$2: \${(P)2}"; }
      _arguments() { print -rl -- "$@"; state=arguments; line=(list); }
      source "$1"; _bunc_commands
    `;
    const shown = await output(["zsh", "-f", "-c", code, "zsh", await script("zsh")]);
    expect(shown).toContain("*--root=[keep the containers' state in DIR]:DIR:_files -/\n");
    expect(shown).toContain("*-f+[form of the list (default\\: table)]:table|json:(table json)\n");
    expect(shown).toContain("*--quiet[print only the ids]\n");
    expect(shown).toContain("resume:let a paused container go on");
  });
});

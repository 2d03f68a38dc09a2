import type { ArgsDef } from "citty";
import type { Prelude, Variable } from "../../ffi/prelude/prelude.ts";
import { globalArgs } from "../cli/globals.ts";
import { code, type Tools } from "./tools.ts";

/** The commands that the prelude knows. */
export const commands = ["state", "start", "kill", "delete", "list"] as const;
export type Command = (typeof commands)[number];

/** What the process was called with, each the address of a text; 0 for what is not there. */
export interface CommandLine {
  /** Index in `commands`. */
  readonly command: Variable;
  readonly id: Variable;
  readonly signal: Variable;
  readonly root: Variable;
  readonly log: Variable;
  readonly runtimeDirectory: Variable;
}

/**
 * Global options that are known here, and for those with a choice of words which words. All but --root and --log are of no
 * concern to these commands. Any other option, or word, is the engine's, so that a new one cannot be passed over.
 */
const known: Readonly<Record<string, readonly string[]>> = {
  root: [],
  log: [],
  "log-format": ["text", "json"],
  "log-level": ["error", "warning", "info"],
  "cgroup-manager": ["cgroupfs", "systemd", "disabled"],
  "systemd-cgroup": [],
  rootless: ["true", "false", "auto"],
  "root-emulation": ["auto", "seccomp", "none", "notify"],
  "keep-groups": [],
};

/** What begins so in the environment asks for something: a log, timings, a trace, a pause; BUNC_NO_PRELUDE for this. */
const variables = ["BUNC_", "CH_"];

const dash = code("-");
const equalsSign = code("=");

/** Records the reading of the command line. The process is left to the engine when anything of it is not the usual. */
export function recordCommandLine(p: Prelude, tools: Tools): CommandLine {
  const line: CommandLine = {
    command: p.variable(-1),
    id: p.variable(0),
    signal: p.variable(0),
    root: p.variable(0),
    log: p.variable(0),
    runtimeDirectory: p.variable(0),
  };
  const count = p.load(64, p.stack);
  tools.giveUpWhen(count, "<", 2);
  const argument = p.sum(p.stack, 8);
  recordName(p, tools, argument);
  recordEnvironment(p, tools, line, count);
  recordGlobals(p, tools, line, argument);
  recordCommand(p, tools, line, argument);
  recordArguments(p, tools, line, argument);
  return line;
}

/** Goes to the next argument, of which there must be one; returns it. */
function next(p: Prelude, tools: Tools, argument: Variable): Variable {
  p.increase(argument, 8);
  const word = p.load(64, argument);
  tools.giveUpWhen(word, "==", 0);
  return word;
}

/** ch-run-oci has options of its own. */
function recordName(p: Prelude, tools: Tools, argument: Variable): void {
  const other = "ch-run-oci";
  const name = p.load(64, argument);
  tools.giveUpWhen(name, "==", 0);
  const tail = p.sum(p.seek(name, 0), -other.length);
  p.when(tail, ">=", name, () => tools.giveUpWhen(tools.equals(tail, other), "!=", 0));
}

function recordEnvironment(p: Prelude, tools: Tools, line: CommandLine, count: Variable): void {
  const at = p.sum(count, 2);
  p.multiply(at, 8);
  p.increase(at, p.stack);
  p.loop((stop) => {
    const variable = p.load(64, at);
    p.when(variable, "==", 0, stop);
    for (const prefix of variables) tools.giveUpWhen(tools.after(variable, prefix), "!=", 0);
    const value = tools.after(variable, "XDG_RUNTIME_DIR=");
    p.when(value, "!=", 0, () => p.assign(line.runtimeDirectory, value));
    p.increase(at, 8);
  });
}

/** The options before the command, in the forms of the definitions that the engine reads them by. */
function recordGlobals(p: Prelude, tools: Tools, line: CommandLine, argument: Variable): void {
  const kept: Readonly<Record<string, Variable>> = { root: line.root, log: line.log };
  p.loop((stop, again) => {
    const word = next(p, tools, argument);
    p.when(p.load(8, word), "!=", dash, stop);
    for (const [name, words] of Object.entries(known)) {
      const { type, options } = definitionOf(name);
      for (const word of words) if (!options.includes(word)) throw unknown(`--${name}=${word}`);
      const rest = tools.after(word, `--${name}`);
      p.when(rest, "!=", 0, () => {
        const mark = p.load(8, rest);
        if (type === "boolean") {
          p.when(mark, "==", 0, again);
          return;
        }
        // Another option may begin with the same letters.
        const value = p.variable(0);
        p.when(mark, "==", equalsSign, () => p.assign(value, p.sum(rest, 1)));
        p.when(mark, "==", 0, () => p.assign(value, next(p, tools, argument)));
        p.when(value, "!=", 0, () => {
          tools.giveUpWhen(p.load(8, value), "==", 0);
          if (type === "enum") recordChoice(p, tools, value, words);
          const variable = kept[name];
          if (variable) p.assign(variable, value);
          again();
        });
      });
    }
    tools.giveUp();
  });
}

function definitionOf(name: string): { type: string | undefined; options: readonly string[] } {
  const definition = (globalArgs as ArgsDef)[name];
  if (!definition) throw unknown(`--${name}`);
  return { type: definition.type, options: definition.type === "enum" ? (definition.options ?? []) : [] };
}

const unknown = (what: string) => new Error(`the prelude knows ${what}, and the engine does not`);

/** A value must be one of some words. */
function recordChoice(p: Prelude, tools: Tools, value: Variable, words: readonly string[]): void {
  const isKnown = p.variable(0);
  for (const word of words) p.when(tools.equals(value, word), "!=", 0, () => p.assign(isKnown, 1));
  tools.giveUpWhen(isKnown, "==", 0);
}

function recordCommand(p: Prelude, tools: Tools, line: CommandLine, argument: Variable): void {
  const word = p.load(64, argument);
  for (const [index, name] of commands.entries()) {
    p.when(tools.equals(word, name), "!=", 0, () => p.assign(line.command, index));
  }
  tools.giveUpWhen(line.command, "<", 0);
}

/** The id, for kill a signal, for delete --force: of a container that has ended it changes nothing. Nothing for list. */
function recordArguments(p: Prelude, tools: Tools, line: CommandLine, argument: Variable): void {
  const list = commands.indexOf("list");
  p.loop((stop, again) => {
    p.increase(argument, 8);
    const word = p.load(64, argument);
    p.when(word, "==", 0, stop);
    tools.giveUpWhen(line.command, "==", list);
    p.when(p.load(8, word), "==", dash, () => {
      tools.giveUpWhen(line.command, "!=", commands.indexOf("delete"));
      for (const form of ["--force", "-f"]) p.when(tools.equals(word, form), "!=", 0, again);
      tools.giveUp();
    });
    p.when(line.id, "==", 0, () => {
      p.assign(line.id, word);
      again();
    });
    tools.giveUpWhen(line.command, "!=", commands.indexOf("kill"));
    tools.giveUpWhen(line.signal, "!=", 0);
    p.assign(line.signal, word);
  });
  p.when(line.command, "!=", list, () => tools.giveUpWhen(line.id, "==", 0));
}

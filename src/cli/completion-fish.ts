// The completion script for fish. complete(1) of fish.
import type { CommandShape, OptionShape, PositionalShape } from "./command-line.ts";

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}

/** The options of complete(1) that say what a value may be. */
function value({ kind, choices }: Pick<OptionShape, "kind" | "choices">): string {
  switch (kind) {
    case "choice":
      return `-x -a ${quote(choices.join(" "))}`;
    case "file":
      return "-r -F";
    case "directory":
      return "-x -a '(__fish_complete_directories)'";
    case "container":
      return "-x -a '(__bunc_containers)'";
    case "command":
      return "-x -a '(__bunc_commands)'";
    case "text":
      return "-x";
  }
}

function option(condition: string, shape: OptionShape): string {
  const forms = shape.forms.map((form) =>
    form.startsWith("--") ? `-l ${form.slice(2)}` : `-s ${form.slice(1)}`,
  );
  const kind = shape.hint === "" ? "" : ` ${value(shape)}`;
  return `complete -c bunc -n ${quote(condition)} ${forms.join(" ")}${kind} -d ${quote(shape.description)}`;
}

function positional(name: string, shape: PositionalShape): string {
  const condition = `__fish_seen_subcommand_from ${name}`;
  return `complete -c bunc -n ${quote(condition)} ${value(shape)}`;
}

function command({ name, description, options, positionals }: CommandShape): string[] {
  const seen = `__fish_seen_subcommand_from ${name}`;
  return [
    `complete -c bunc -n __bunc_no_command -a ${name} -d ${quote(description)}`,
    ...options.map((each) => option(seen, each)),
    ...positionals.filter(({ kind }) => kind !== "text").map((each) => positional(name, each)),
  ];
}

/** The script. */
export function completeFish(globals: readonly OptionShape[], commands: readonly CommandShape[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `${[
    "# fish completion for bunc, made by `bunc completion fish`.",
    "",
    "function __bunc_no_command",
    `  not __fish_seen_subcommand_from ${names}`,
    "end",
    "",
    "function __bunc_commands",
    `  string split ' ' ${quote(names)}`,
    "end",
    "",
    "function __bunc_containers",
    "  set -l words (commandline -opc)",
    "  set -l at (contains -i -- --root $words)",
    "  and set -l root --root $words[(math $at + 1)]",
    "  bunc $root list --quiet 2>/dev/null",
    "end",
    "",
    "complete -c bunc -f",
    ...globals.map((each) => option("__bunc_no_command", each)),
    ...commands.flatMap(command),
  ].join("\n")}\n`;
}

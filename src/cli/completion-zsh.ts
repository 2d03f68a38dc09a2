// The completion script for zsh. zshcompsys(1), "_arguments".
import type { CommandShape, OptionShape } from "./command-line.ts";

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Descriptions stand in brackets, and colons part a specification. */
function escapeMarks(text: string): string {
  return text.replaceAll("\\", "\\\\").replace(/[[\]:]/g, "\\$&");
}

/** The action of _arguments that completes a value. */
function action({ kind, choices }: Pick<OptionShape, "kind" | "choices">): string {
  switch (kind) {
    case "choice":
      return `(${choices.join(" ")})`;
    case "file":
      return "_files";
    case "directory":
      return "_files -/";
    case "container":
      return "_bunc_containers";
    case "command":
      return "_bunc_commands";
    case "text":
      return " ";
  }
}

/** One specification for each form; giving one makes the others superfluous, but for options that may be repeated. */
function option(shape: OptionShape): string[] {
  const { forms, hint, description } = shape;
  return forms.map((form) => {
    const value = hint === "" ? "" : `:${escapeMarks(hint)}:${action(shape)}`;
    // With the sign the value may follow an equals sign, too.
    const sign = hint === "" ? "" : form.startsWith("--") ? "=" : "+";
    return quote(`*${form}${sign}[${escapeMarks(description)}]${value}`);
  });
}

function command({ name, options, positionals, payload }: CommandShape): string[] {
  const specifications = [
    ...options.flatMap(option),
    ...positionals.map((shape, index) =>
      quote(`${index + 1}${shape.required ? "" : ":"}:${escapeMarks(shape.hint)}:${action(shape)}`),
    ),
    ...(payload === undefined ? [] : [quote("*::arguments:_normal")]),
  ];
  return [`    ${name})`, `      _arguments -s -S ${specifications.join(" \\\n        ")}`, "      ;;"];
}

/** The script, to be a file _bunc in a directory of $fpath. */
export function completeZsh(globals: readonly OptionShape[], commands: readonly CommandShape[]): string {
  const names = commands.map(
    ({ name, description }) => `    ${quote(`${name}:${escapeMarks(description)}`)}`,
  );
  return `${[
    "#compdef bunc",
    "# zsh completion for bunc, made by `bunc completion zsh`.",
    "",
    "_bunc_commands() {",
    "  local -a commands=(",
    ...names,
    "  )",
    "  _describe command commands",
    "}",
    "",
    "_bunc_containers() {",
    `  local -a ids=("\${(@f)$(bunc \${bunc_root:+--root} $bunc_root list --quiet 2>/dev/null)}")`,
    "  compadd -a ids",
    "}",
    "",
    "_bunc() {",
    "  local curcontext=$curcontext state line bunc_root",
    "  typeset -A opt_args",
    `  _arguments -C -s -S ${[...globals.flatMap(option), quote("1:command:_bunc_commands"), quote("*::argument:->arguments")].join(" \\\n    ")}`,
    "  [[ $state == arguments ]] || return",
    "  bunc_root=$opt_args[--root]",
    "  case $line[1] in",
    ...commands.flatMap(command),
    "  esac",
    "}",
    "",
    '_bunc "$@"',
  ].join("\n")}\n`;
}

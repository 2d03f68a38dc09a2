// The completion script for bash. Bash reference manual, "Programmable Completion".
import type { CommandShape, OptionShape, PositionalShape } from "./command-line.ts";

/** What compgen is asked for, so that COMPREPLY gets what a value may be. */
function reply({ kind, choices }: Pick<OptionShape, "kind" | "choices">): string {
  switch (kind) {
    case "choice":
      return `COMPREPLY=($(compgen -W ${quote(choices.join(" "))} -- "$cur"))`;
    case "file":
      return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))';
    case "directory":
      return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur"))';
    case "container":
      return `COMPREPLY=($(compgen -W "$("\${bunc[@]}" list --quiet 2>/dev/null)" -- "$cur"))`;
    case "command":
      return 'COMPREPLY=($(compgen -W "$commands" -- "$cur"))';
    case "text":
      return ":";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const takesValue = (option: OptionShape): boolean => option.hint !== "";

/** Lines of a `case` on the option before the cursor. */
function values(options: readonly OptionShape[]): string[] {
  return options
    .filter(takesValue)
    .map((option) => `      ${option.forms.join(" | ")}) ${reply(option)}; return ;;`);
}

function positional(shape: PositionalShape, index: number): string {
  return `        ${index}) ${reply(shape)} ;;`;
}

function formsOf(options: readonly OptionShape[]): string {
  return quote(options.flatMap(({ forms }) => forms).join(" "));
}

function command({ name, options, positionals }: CommandShape): string[] {
  const withValue = options.filter(takesValue).flatMap(({ forms }) => forms);
  return [
    `  ${name})`,
    ...(withValue.length === 0 ? [] : ['    case "$prev" in', ...values(options), "    esac"]),
    `    if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W ${formsOf(options)} -- "$cur")); return; fi`,
    `    _bunc_count ${quote(withValue.join(" "))}`,
    '    case "$count" in',
    ...positionals.map(positional),
    "    esac",
    "    ;;",
  ];
}

/** The script, for bash 4 and newer. */
export function completeBash(globals: readonly OptionShape[], commands: readonly CommandShape[]): string {
  const withValue = globals.filter(takesValue).flatMap(({ forms }) => forms);
  return `${[
    "# bash completion for bunc, made by `bunc completion bash`.",
    "",
    "# How many arguments that are no options stand between the command and the cursor.",
    "# $1: the options that have a value of their own.",
    "_bunc_count() {",
    "  local i word",
    "  count=0",
    "  for ((i = at + 1; i < COMP_CWORD; i++)); do",
    `    word=\${COMP_WORDS[i]}`,
    '    if [[ " $1 " == *" $word "* ]]; then ((i++)); elif [[ $word != -* ]]; then ((count++)); fi',
    "  done",
    "}",
    "",
    "_bunc() {",
    `  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at count command=`,
    `  local commands=${quote(commands.map(({ name }) => name).join(" "))}`,
    `  local -a bunc=("\${COMP_WORDS[0]}")`,
    "  COMPREPLY=()",
    "  for ((at = 1; at < COMP_CWORD; at++)); do",
    `    case "\${COMP_WORDS[at]}" in`,
    `      --root) bunc+=(--root "\${COMP_WORDS[at+1]}"); ((at++)) ;;`,
    `      ${withValue.filter((form) => form !== "--root").join(" | ")}) ((at++)) ;;`,
    "      -*) ;;",
    `      *) command=\${COMP_WORDS[at]}; break ;;`,
    "    esac",
    "  done",
    '  case "$command" in',
    "  '')",
    '    case "$prev" in',
    ...values(globals),
    "    esac",
    `    if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W ${formsOf(globals)} -- "$cur"))`,
    '    else COMPREPLY=($(compgen -W "$commands" -- "$cur")); fi',
    "    ;;",
    ...commands.flatMap(command),
    "  esac",
    "}",
    "",
    "complete -F _bunc bunc",
  ].join("\n")}\n`;
}

// Manual pages in man(7)'s language, made of the definitions that parse the command line.
import { version } from "../package.json";
import {
  type CommandShape,
  type OptionShape,
  optionLabel,
  shapeCommands,
  shapeOptions,
  usageOf,
} from "../src/cli/command-line.ts";
import { detailsOf } from "../src/cli/details.ts";
import { globalArgs } from "../src/cli/globals.ts";

/** A file of docs/man. */
export interface ManualPage {
  readonly name: string;
  readonly text: string;
}

const section = 8;

/** Text that roff prints as it stands: a backslash and a dash mean something, and so does a dot that begins a line. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");
}

function header(name: string): string {
  return `.TH ${roff(name.toUpperCase())} ${section} "" "bunc ${version}" "bunc"`;
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, index) => (index === 0 ? [roff(text)] : [".PP", roff(text)]));
}

function items(rows: readonly (readonly [string, string])[]): string[] {
  return rows.flatMap(([left, right]) => [".TP", `\\fB${roff(left)}\\fR`, roff(right)]);
}

const optionRows = (options: readonly OptionShape[]) =>
  options.map((option) => [optionLabel(option), option.description] as const);

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
}

const exitStatus: Readonly<Record<string, string>> = {
  run: "That of the container's program, 128 and the number of the signal that ended it, or 1 when the container could not be made.",
  exec: "That of the process, 128 and the number of the signal that ended it, or 255 when it could not be run.",
};

function commandPage(command: CommandShape): ManualPage {
  const name = `bunc-${command.name}`;
  const { text, examples } = detailsOf(command.name);
  const lines = [
    header(name),
    ...titled("NAME", [roff(`${name} - ${command.description}`)]),
    ...titled("SYNOPSIS", [
      `\\fBbunc\\fR [global options] \\fB${command.name}\\fR ${roff(usageOf(command))}`.trim(),
    ]),
    ...titled("DESCRIPTION", paragraphs(text.length > 0 ? text : [`${capitalize(command.description)}.`])),
    ...titled(
      "ARGUMENTS",
      items(command.positionals.map(({ hint, description }) => [hint, description] as const)),
    ),
    ...titled("OPTIONS", items(optionRows(command.options))),
    ...titled(
      "EXAMPLES",
      examples.flatMap(([purpose, line]) => [
        ".PP",
        `${roff(capitalize(purpose))}:`,
        ".PP",
        ".RS 4",
        ".nf",
        roff(line),
        ".fi",
        ".RE",
      ]),
    ),
    ...titled("EXIT STATUS", [
      roff(
        exitStatus[command.name] ??
          "0, or 1 when something went wrong, which is said in one line on standard error.",
      ),
    ]),
    ...titled("SEE ALSO", [`\\fBbunc\\fR(${section})`]),
  ];
  return { name: `${name}.${section}`, text: `${lines.join("\n")}\n` };
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const files: readonly (readonly [string, string])[] = [
  ["/run/bunc", "the state of root's containers: a directory for each, where --root names no other place"],
  ["$XDG_RUNTIME_DIR/bunc, /tmp/bunc-UID", "the state of other users' containers"],
];

const environment: readonly (readonly [string, string])[] = [
  ["XDG_RUNTIME_DIR", "where a user's containers are kept"],
  ["NOTIFY_SOCKET", "start and run tell the service manager there that the container is ready"],
  ["LISTEN_FDS, LISTEN_PID", "sockets that are handed to the container"],
  ["BUNC_LOG", "a log for messages where --log names none"],
  ["BUNC_TRACE", "1 to print every system call that bunc makes itself"],
  ["BUNC_TIMING", "1 to print how long each stage of a command took"],
  ["BUNC_NO_PRELUDE", "1 to have the JavaScript engine do what is otherwise done before it starts"],
  ["BUNC_HANG", "a command before which bunc waits for SIGCONT, so that somebody can look around"],
];

function mainPage(commands: readonly CommandShape[]): ManualPage {
  const lines = [
    header("bunc"),
    ...titled("NAME", [roff("bunc - Open Container Initiative runtime")]),
    ...titled("SYNOPSIS", ["\\fBbunc\\fR [global options] command [command options] [arguments...]"]),
    ...titled(
      "DESCRIPTION",
      paragraphs([
        "bunc makes and runs containers as the runtime specification of the Open Container Initiative describes them. It is called by programs such as buildah, podman and containerd, and by people at a shell. A container is described by a bundle: a directory with a file config.json and a root file system.",
        "Its commands and options are those of runc and crun, so that it can take the place of either. Options may be written --name value or --name=value, and long ones with one dash.",
      ]),
    ),
    ...titled(
      "COMMANDS",
      commands.flatMap(({ name, description }) => [
        ".TP",
        `\\fBbunc\\-${roff(name)}\\fR(${section})`,
        roff(description),
      ]),
    ),
    ...titled("GLOBAL OPTIONS", items(optionRows(shapeOptions(globalArgs)))),
    ...titled("FILES", items(files)),
    ...titled("ENVIRONMENT", items(environment)),
    ...titled("EXIT STATUS", [
      roff("0, or 1 when something went wrong. run and exec pass on the status of what they have run."),
    ]),
    ...titled("SEE ALSO", [
      commands.map(({ name }) => `\\fBbunc\\-${roff(name)}\\fR(${section})`).join(", "),
    ]),
  ];
  return { name: `bunc.${section}`, text: `${lines.join("\n")}\n` };
}

/** The page of bunc, and one for each command. */
export async function renderManual(): Promise<ManualPage[]> {
  const commands = await shapeCommands();
  return [mainPage(commands), ...commands.map(commandPage)];
}

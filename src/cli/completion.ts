import { defineCommand } from "citty";
import { writeAll } from "../../ffi/file.ts";
import { type CommandShape, type OptionShape, shapeCommands, shapeOptions } from "./command-line.ts";
import { completeBash } from "./completion-bash.ts";
import { completeFish } from "./completion-fish.ts";
import { completeZsh } from "./completion-zsh.ts";
import { globalArgs } from "./globals.ts";
import { suggest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";

const shells: Readonly<Record<string, (globals: OptionShape[], commands: CommandShape[]) => string>> = {
  bash: completeBash,
  zsh: completeZsh,
  fish: completeFish,
};

/** The script for a shell. Throws UsageError for one that there is none for. */
export async function renderCompletion(shell: string): Promise<string> {
  const render = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
  if (!render) {
    const known = Object.keys(shells);
    throw new UsageError(
      `completion: there is none for "${shell}", only for ${known.join(", ")}${suggest(shell, known)}`,
    );
  }
  return render(shapeOptions(globalArgs), await shapeCommands());
}

export const command = defineCommand({
  meta: { name: "completion", description: "print a script that completes command lines in a shell" },
  args: {
    shell: { type: "positional", required: true, valueHint: "bash|zsh|fish", description: "which shell" },
  },
  run: async ({ args }) => writeAll(1, await renderCompletion(args.shell)),
});

// SELinux labels as mount options. mount(8), "SELINUX"; selinux_sb_eat_lsm_opts() and
// selinux_fs_context_parse_param() in security/selinux/hooks.c.
import type { Program } from "../../../ffi/program/program.ts";
import type { Handle } from "../in-root.ts";

const contextOptions: readonly string[] = ["context", "fscontext", "defcontext", "rootcontext"];

/** SELinux labels the files of these itself, or one by one. runc and crun leave them out, too. */
const labelsItself: readonly string[] = ["proc", "sysfs", "mqueue"];

/**
 * The option by which a new file system gets the label, if it has none of its own.
 * @param data the mount's own options
 * @param label linux.mountLabel; "" for none
 */
export function contextOption(type: string, data: readonly string[], label: string): string[] {
  if (label === "" || labelsItself.includes(type) || data.some(isContextOption)) return [];
  return [`context="${label}"`];
}

function isContextOption(option: string): boolean {
  return contextOptions.some((name) => option.startsWith(`${name}=`));
}

/** The option as fsconfig(2) takes it: quotes are for mount(2) alone, where they protect a label's commas. */
export function withoutQuotes(key: string, value: string): string {
  return contextOptions.includes(key) ? value.replace(/^"(.*)"$/, "$1") : value;
}

/** Splits at commas, but not in a quoted label, nor at those that overlayfs escapes with a backslash. */
export function splitData(option: string): string[] {
  // Nearly all are one: the first regular expression takes 0.08 ms.
  if (!option.includes(",") && !option.includes('"')) return option === "" ? [] : [option];
  return option.match(/(?:fs|def|root)?context="[^"]*"|(?:\\.|\\$|[^,\\])+/g) ?? [];
}

/**
 * Labels the root directory of a new file system whose files are labelled one by one. setxattr(2).
 * @param tree its mount
 */
export function recordRootLabel(program: Program, tree: Handle, label: string): void {
  if (label === "") return;
  program.because("linux.mountLabel");
  // A descriptor of a mount is good for no more than going there.
  program.fchdir(tree);
  const bytes = new TextEncoder().encode(label);
  program.setxattr(".", "security.selinux", bytes, bytes.length, 0);
}

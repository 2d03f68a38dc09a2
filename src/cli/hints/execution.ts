// What is executed: the process and the hooks.
import type { HintRow } from "./hint.ts";

export const executionHints: readonly HintRow[] = [
  // runtime-spec, config.md, "POSIX-platform Hooks": where the path of each is looked up.
  {
    calls: ["execve"],
    errno: "ENOENT",
    when: /^hooks\.startContainer/,
    cause: "the hook, or the interpreter or loader that it names, is not in the container",
    cure: "add it to the image, or make it a createContainer hook, which is looked up where bunc runs",
  },
  {
    calls: ["execve", "posix_spawn"],
    errno: "ENOENT",
    when: /^hooks\./,
    cause: "the hook, or the interpreter or loader that it names, is missing where bunc runs",
    cure: "install it, or correct the hook's path",
  },
  {
    calls: ["execve", "posix_spawn"],
    errno: "EACCES",
    when: /^hooks\./,
    cause: "the hook is not executable, or lies on a mount with noexec",
    cure: "chmod +x it, or correct its path",
  },
  {
    calls: ["openat"],
    errno: "EACCES",
    when: /"\/proc\/\d+\/root"/,
    cause:
      "hooks inside the container join its first process, which nobody may look into in a joined pid namespace",
    cure: "run as root with CAP_SYS_PTRACE, or make a new pid namespace",
  },
  // execve(2).
  {
    calls: ["execve", "execveat"],
    errno: "ENOENT",
    cause: "the program, or the interpreter or loader that it names, is not in the container",
    cure: "check process.args[0], a script's #! line, and the libraries of the image",
  },
  {
    calls: ["execve", "execveat"],
    errno: "EACCES",
    when: /memfd|\/proc\/self\/fd/,
    cause: "programs may not run from memory here: vm.memfd_noexec is 2, or a security module says so",
    cure: "sysctl vm.memfd_noexec=1",
  },
  {
    calls: ["execve", "execveat"],
    errno: "EACCES",
    cause:
      "the file is not executable for this user, lies on a mount with noexec, or a security module says no",
    cure: "chmod +x it, and check process.user, the mount's options, and what dmesg says of a label or profile",
  },
  {
    calls: ["execve", "execveat"],
    errno: "ENOEXEC",
    cause: "the file is built for another processor, or is a script without a #! line",
    cure: "use an image for this machine, or run the script by its interpreter",
  },
  {
    calls: ["execve", "execveat"],
    errno: "E2BIG",
    cause: "process.args and process.env are too long together",
    cure: "shorten them (execve(2) has the limits)",
  },
];

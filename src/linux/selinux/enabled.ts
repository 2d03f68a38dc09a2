/**
 * Whether SELinux is enabled, by the convention of libselinux: a selinuxfs is mounted and can be written, and a policy is
 * loaded. An outer container that is not to change labels has it read-only, or not at all. selinux(8), is_selinux_enabled(3).
 * @param mountinfo text of /proc/self/mountinfo, proc_pid_mountinfo(5)
 * @param current text of /proc/self/attr/current: "kernel" is the label of every process before a policy is loaded
 */
export function isSelinuxEnabled(mountinfo: string, current: string): boolean {
  return current.replace(/[\0\n]+$/, "") !== "kernel" && mountinfo.split("\n").some(isWritableSelinuxfs);
}

/** `ID PARENT DEVICE ROOT TARGET OPTIONS [FIELDS…] - TYPE SOURCE SUPEROPTIONS`; a space in a path is written \040. */
function isWritableSelinuxfs(line: string): boolean {
  const [mount = "", superblock = ""] = line.split(" - ");
  const [type, , superOptions = ""] = superblock.split(" ");
  const options = mount.split(" ")[5] ?? "";
  return type === "selinuxfs" && !isReadonly(options) && !isReadonly(superOptions);
}

function isReadonly(options: string): boolean {
  return options.split(",").includes("ro");
}

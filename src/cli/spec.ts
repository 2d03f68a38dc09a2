import { defineCommand } from "citty";
import { ERRNO } from "../../ffi/constants/errno.ts";
import { MAGIC, O } from "../../ffi/constants/file.ts";
import { SyscallError } from "../../ffi/error.ts";
import { type Descriptor, openFile, writeAll } from "../../ffi/file.ts";
import { attempt, libc } from "../../ffi/libc.ts";
import { defaultConfig } from "./default-config.ts";
import { UsageError } from "./usage-error.ts";

function makeFile(path: string): Descriptor {
  try {
    return openFile(path, O.WRONLY | O.CREAT | O.EXCL, 0o666);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.errno !== ERRNO.EEXIST) throw error;
    throw new UsageError(`spec: ${path} exists already: remove it first`);
  }
}

/** True when cgroup v2 is all there is. statfs(2): the type is the first word of struct statfs. */
function isUnified(): boolean {
  const status = new Uint8Array(120);
  if (attempt.statfs("/sys/fs/cgroup", status) < 0) return false;
  return new DataView(status.buffer).getUint32(0, true) === MAGIC.CGROUP2_SUPER;
}

export const command = defineCommand({
  meta: { name: "spec", description: "write a config.json to begin with" },
  args: {
    bundle: {
      type: "string",
      alias: "b",
      default: ".",
      valueHint: "DIR",
      description: "directory to write it in",
    },
    file: {
      type: "string",
      alias: "f",
      default: "config.json",
      valueHint: "FILE",
      description: "its name, seen from that directory",
    },
    rootless: { type: "boolean", description: "for this user, without privileges" },
  },
  run({ args }) {
    const user = args.rootless ? { uid: libc.geteuid(), gid: libc.getegid() } : undefined;
    const config = defaultConfig(user, isUnified());
    using file = makeFile(args.file.startsWith("/") ? args.file : `${args.bundle}/${args.file}`);
    writeAll(file.fd, `${JSON.stringify(config, undefined, 2)}\n`);
  },
});

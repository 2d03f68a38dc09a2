import { type CgroupRecord, directoriesOf, type RecordedScope } from "../cgroup-record.ts";
import { removeEmptied } from "../destroy.ts";
import { Manager } from "./manager.ts";

/**
 * Stops the scope of a container, with everything in it, and removes the directories that systemd does not know of: in
 * version 1 it uses some hierarchies only. Where systemd cannot be asked, its scope goes by itself once it is empty.
 * Throws BusError when systemd does not do it, SyscallError.
 */
export function destroyScope(record: CgroupRecord, { unit, bus }: RecordedScope): void {
  using manager = open(bus);
  manager?.stopScope(unit);
  for (const path of scopeDirectories(record, unit)) removeEmptied(path);
}

/** The directories of the scope itself, in each hierarchy. */
export function scopeDirectories(record: CgroupRecord, unit: string): string[] {
  const name = `/${unit}/`;
  return directoriesOf(record).flatMap(({ path }) => {
    const at = `${path}/`.indexOf(name);
    return at < 0 ? [] : [path.slice(0, at + name.length - 1)];
  });
}

function open(bus: RecordedScope["bus"]): Manager | undefined {
  try {
    return new Manager(bus);
  } catch {
    return undefined;
  }
}

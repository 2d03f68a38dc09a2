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
  const end = `/${unit}`;
  for (const { path } of directoriesOf(record)) {
    const at = `${path}/`.indexOf(`${end}/`);
    if (at >= 0) removeEmptied(path.slice(0, at + end.length));
  }
}

function open(bus: RecordedScope["bus"]): Manager | undefined {
  try {
    return new Manager(bus);
  } catch {
    return undefined;
  }
}

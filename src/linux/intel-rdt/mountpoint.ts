/**
 * Where resctrl is mounted, from the text of /proc/self/mountinfo; "" where it is not. proc(5). Pure.
 */
export function findResctrl(mountinfo: string): string {
  for (const line of mountinfo.split("\n")) {
    if (!line.includes(" - resctrl ")) continue;
    const path = line.split(" ")[4] ?? "";
    return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
  }
  return "";
}

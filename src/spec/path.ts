/**
 * An absolute path without `.`, `..` and empty names, by its letters alone: no link is followed. A relative one is seen
 * from `/`, as runtime-spec 1.2 says of mount destinations.
 */
export function cleanPath(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}

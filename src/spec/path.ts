/**
 * An absolute path without `.`, `..` and empty names, by its letters alone: no link is followed. A relative one is seen
 * from `/`, as runtime-spec 1.2 says of mount destinations.
 */
export function cleanPath(path: string): string {
  // Nearly all are clean: what has none of these has no such name.
  const isClean = path.startsWith("/") && !path.includes("//") && !path.includes("/.") && !path.endsWith("/");
  if (isClean || path === "/") return path;
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}

/** The same of each of them. */
export function cleanPaths(paths: readonly string[] = []): readonly string[] {
  const clean: string[] = [];
  for (const path of paths) clean.push(cleanPath(path));
  return clean;
}

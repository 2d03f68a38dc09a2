/** What few containers ask for: for those whose plan has it, and loaded for them alone. */
export function loadSeldom() {
  return require("./seldom.ts") as typeof import("./seldom.ts");
}

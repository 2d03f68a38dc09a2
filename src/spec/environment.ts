/** Whether a list of NAME=VALUE has a variable of this name. */
export function hasVariable(env: readonly string[] | undefined, name: string): boolean {
  for (const entry of env ?? []) if (entry.startsWith(`${name}=`)) return true;
  return false;
}

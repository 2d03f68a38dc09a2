// Ids of files, as the caller and as the container count them. Touches no machine.

interface Range {
  readonly inside: number;
  readonly outside: number;
  readonly size: number;
}

/** What /proc/PID/uid_map or gid_map of the container says, as the caller reads it. user_namespaces(7). */
export class IdMap {
  readonly #ranges: readonly Range[];

  /**
   * @param text content of the file; "" for a kernel without user namespaces
   * @param own the container is in the caller's own user namespace: both count alike
   */
  constructor(text: string, own: boolean) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    this.#ranges = lines.map((line) => {
      const [inside = 0, outside = 0, size = 0] = line.trim().split(/\s+/).map(Number);
      return { inside, outside: own ? inside : outside, size };
    });
    if (lines.length === 0) this.#ranges = [{ inside: 0, outside: 0, size: 2 ** 32 - 1 }];
  }

  /** The container's number of an id; undefined when it has none. */
  inside(id: number): number | undefined {
    const range = this.#ranges.find(({ outside, size }) => id >= outside && id - outside < size);
    return range && range.inside + id - range.outside;
  }
}

import type { Descriptor } from "../../ffi/file.ts";
import { endStage } from "../../ffi/timing.ts";
import { createFilterFile, fillFilterFile } from "../linux/seccomp/filter-file.ts";
import type { Plan } from "../plan/types.ts";
import type { CompiledFilters, Filters } from "./confinement.ts";

/**
 * The filters of a container that is made before they are compiled. Init reads them behind its gate: the pages that they
 * take would be counted while it waits.
 */
export class LateFilters {
  /** For the program. */
  readonly sources: Filters;
  private readonly files: Readonly<Record<keyof Filters, Descriptor | undefined>>;

  /** Throws SyscallError. */
  constructor({ seccomp, emulation }: Pick<Plan, "seccomp" | "emulation">) {
    const profile = seccomp.kind === "none" ? undefined : createFilterFile();
    this.files = { profile, emulation: emulation.kind === "none" ? undefined : createFilterFile() };
    this.sources = this.files;
  }

  /** Compiles them, and lets init have them. Throws SpecError, SyscallError. */
  fill(compile: () => CompiledFilters): void {
    const filters = compile();
    for (const name of ["profile", "emulation"] as const) {
      const [file, filter] = [this.files[name], filters[name]];
      if (file && filter) fillFilterFile(file, filter);
    }
    this.close();
    endStage("filter");
  }

  close(): void {
    this.files.profile?.close();
    this.files.emulation?.close();
  }
}

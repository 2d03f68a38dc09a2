import type { Called } from "./called.ts";
import { globalArgs } from "./globals.ts";

/**
 * Charliecloud's ch-run-oci, whose place bunc takes when it is called so. The commands are bunc's own, which take
 * whatever ch-run-oci's do; of the global options only -v means something else. bunc's others may be given, too:
 * `buildah --runtime-flag` has no other way to say them. Source: ch-run-oci(1) of Charliecloud 0.31 and 0.38.
 */
export const chRunOci: Called = {
  name: "ch-run-oci",
  globals: {
    ...globalArgs,
    verbose: {
      type: "boolean",
      alias: "v",
      description: "the same as --log-level info, and given twice as --debug",
    },
    version: { ...globalArgs.version, alias: "V" },
  },
};

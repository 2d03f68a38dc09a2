import { defineCommand } from "citty";
import { writeAll } from "../../ffi/file.ts";
import { version } from "../../package.json";
import { describeFeatures } from "../container/features.ts";
import { verbs } from "./verbs.ts";

export const command = defineCommand({
  meta: { name: "features", description: "print what bunc can do as JSON" },
  args: {},
  run() {
    const checkpoint = String(Object.hasOwn(verbs, "checkpoint"));
    const features = describeFeatures({
      "org.bunc.version": version,
      // By this name callers ask whether containers can be checkpointed, whatever the runtime.
      "org.opencontainers.runc.checkpoint.enabled": checkpoint,
    });
    writeAll(1, `${JSON.stringify(features, undefined, 4)}\n`);
  },
});

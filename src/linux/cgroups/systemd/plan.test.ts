import { expect, test } from "bun:test";
import type { Resources } from "../../../spec/types.ts";
import { describeCgroup } from "../describe.ts";
import type { CgroupLayout } from "../layout.ts";
import { planCgroup } from "../plan.ts";
import type { SystemdFacts } from "./facts.ts";

const place = { own: "/user.slice", writable: true };
const v2: CgroupLayout = { kind: "v2", mountpoint: "/sys/fs/cgroup", ...place };
const v1: CgroupLayout = {
  kind: "v1",
  hierarchies: [
    { controllers: ["memory"], mountpoint: "/sys/fs/cgroup/memory", ...place },
    { controllers: ["devices"], mountpoint: "/sys/fs/cgroup/devices", ...place },
    { controllers: ["name=systemd"], mountpoint: "/sys/fs/cgroup/systemd", ...place },
  ],
  unified: undefined,
};
const system: SystemdFacts = { kind: "running", bus: "system", version: 252, controlGroup: "" };
const user: SystemdFacts = {
  kind: "running",
  bus: "user",
  version: 252,
  controlGroup: "/user.slice/user-1000.slice/user@1000.service",
};

interface Asked {
  readonly path?: string;
  readonly annotations?: Record<string, string>;
  readonly resources?: Resources;
  readonly layout?: CgroupLayout;
  readonly systemd?: SystemdFacts;
}

function planned({ path, annotations = {}, resources, layout = v2, systemd = system }: Asked) {
  const plan = planCgroup(
    { cgroupsPath: path, resources, annotations },
    { id: "box", layout, privileged: true, manager: "systemd", owner: undefined, systemd },
  );
  if (plan.kind === "none" || !plan.scope) throw new Error("no scope was planned");
  return { plan, scope: plan.scope };
}

const directoryOf = (asked: Asked) => {
  const { plan } = planned(asked);
  return plan.kind === "v2" ? plan.directory.path : undefined;
};
const names = (properties: readonly { readonly name: string }[]) => properties.map(({ name }) => name);

test("the container is in a cgroup of its own in the scope", () => {
  const path = "machine.slice:libpod:abc";
  expect(directoryOf({ path })).toBe("/sys/fs/cgroup/machine.slice/libpod-abc.scope/container");
  const subgroup = (name: string) => directoryOf({ path, annotations: { "run.oci.systemd.subgroup": name } });
  expect(subgroup("inner")).toBe("/sys/fs/cgroup/machine.slice/libpod-abc.scope/inner");
  expect(subgroup("")).toBe("/sys/fs/cgroup/machine.slice/libpod-abc.scope");
  for (const name of ["a/b", "..", "cgroup.procs"]) expect(() => subgroup(name)).toThrow("subgroup");
});

test("the default slice, and whose systemd it is", () => {
  expect(directoryOf({})).toBe("/sys/fs/cgroup/system.slice/bunc-box.scope/container");
  expect(directoryOf({ systemd: user })).toBe(
    "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/bunc-box.scope/container",
  );
  expect(planned({ systemd: user }).scope).toMatchObject({ bus: "user", unit: "bunc-box.scope" });
});

test("what the scope is started with; annotations come last, and win", () => {
  const { scope } = planned({
    annotations: {
      "org.systemd.property.TimeoutStopSec": "uint64 7",
      "org.systemd.property.CollectMode": "'inactive'",
    },
  });
  expect(names(scope.start)).toEqual([
    "Description",
    "Slice",
    "Delegate",
    "DefaultDependencies",
    "CollectMode",
    "MemoryAccounting",
    "CPUAccounting",
    "IOAccounting",
    "TasksAccounting",
    "TimeoutStopUSec",
    "CollectMode",
  ]);
});

test("limits are the scope's and the container's; above the scope bunc turns no controllers on", () => {
  const { plan, scope } = planned({ path: "a-b.slice:c:d", resources: { pids: { limit: 5n } } });
  expect(names(scope.limits)).toEqual(["TasksMax"]);
  if (plan.kind !== "v2") throw new Error(plan.kind);
  expect(plan.writes.map(({ file }) => file)).toEqual([
    "/sys/fs/cgroup/a.slice/a-b.slice/c-d.scope/container/pids.max",
  ]);
  expect(plan.directory.mountpoint).toBe("/sys/fs/cgroup/a.slice/a-b.slice/c-d.scope");
});

test("version 1: the scope in every hierarchy", () => {
  const asked = { layout: v1, path: "m.slice:p:n", resources: { memory: { limit: 5n } } };
  const { plan, scope } = planned(asked);
  if (plan.kind !== "v1") throw new Error(plan.kind);
  expect(plan.directories.map(({ path }) => path)).toEqual(
    ["memory", "devices", "systemd"].map((each) => `/sys/fs/cgroup/${each}/m.slice/p-n.scope/container`),
  );
  expect(names(scope.limits)).toEqual(["MemoryLimit"]);
  expect(() => planned({ ...asked, annotations: { "run.oci.systemd.subgroup": "" } })).toThrow(
    "takes cgroup v2",
  );
});

test("another form of cgroupsPath is refused, unless there is no systemd", () => {
  expect(() => planned({ path: "/a/b" })).toThrow(
    /^linux\.cgroupsPath is "\/a\/b": it must be slice:prefix:name/,
  );
});

test("state.json remembers whose scope it is", () => {
  expect(describeCgroup(planned({ path: "m.slice:p:n" }).plan)).toEqual({
    kind: "v2",
    path: "/sys/fs/cgroup/m.slice/p-n.scope/container",
    scope: { unit: "p-n.scope", bus: "system" },
  });
});

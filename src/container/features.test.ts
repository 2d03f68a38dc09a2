import { expect, test } from "bun:test";
import { isSupported } from "../rules/supported.ts";
import { parseConfig } from "../spec/parse.ts";
import { describeFeatures } from "./features.ts";

interface Features {
  readonly hooks: string[];
  readonly mountOptions: string[];
  readonly linux: {
    readonly namespaces: string[];
    readonly seccomp: Record<"actions" | "operators" | "archs" | "knownFlags" | "supportedFlags", string[]>;
    readonly intelRdt: { readonly enabled: boolean };
  };
}

const features = describeFeatures({}) as Features;

const accepts = (config: object) =>
  parseConfig(
    new TextEncoder().encode(JSON.stringify({ ociVersion: "1.0.0", root: { path: "/" }, ...config })),
  );

test("what is said to be recognized in config.json is recognized", () => {
  const { namespaces, seccomp } = features.linux;
  accepts({ linux: { namespaces: namespaces.map((type) => ({ type })) } });
  accepts({ hooks: Object.fromEntries(features.hooks.map((name) => [name, [{ path: "/x" }]])) });
  accepts({
    linux: {
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        architectures: seccomp.archs,
        flags: seccomp.knownFlags,
        syscalls: seccomp.actions.map((action) => ({
          names: ["read"],
          action,
          args: seccomp.operators.map((op) => ({ index: 0, value: 1, op })),
        })),
      },
    },
  });
});

test("lists are in order, and the kernel's flags are among those that are known", () => {
  for (const list of [features.mountOptions, features.linux.namespaces, features.linux.seccomp.archs]) {
    expect(list).toEqual([...list].sort());
  }
  expect(features.linux.seccomp.knownFlags).toEqual(
    expect.arrayContaining(features.linux.seccomp.supportedFlags),
  );
  expect(features.linux.seccomp.supportedFlags).toContain("SECCOMP_FILTER_FLAG_LOG");
});

test("a property that is refused is no feature", () => {
  expect(features.linux.intelRdt.enabled).toBe(isSupported("linux.intelRdt"));
});

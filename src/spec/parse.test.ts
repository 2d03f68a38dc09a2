import { expect, test } from "bun:test";
import { SpecError } from "./error.ts";
import { exampleConfig, exampleJson, parseValue } from "./example.ts";
import { parseConfig, parseMounts, parseProcess, parseResources } from "./parse.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The message of the SpecError that `act` throws; anything else that it throws fails the test. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SpecError) return error.message;
    throw error;
  }
  return "accepted";
}

function refused(changes: Parameters<typeof exampleConfig>[0]): string {
  return refusal(() => exampleConfig(changes));
}

test("a config as buildah writes it", async () => {
  const config = parseConfig(
    await Bun.file(`${import.meta.dir}/../../test/fixtures/buildah-config.json`).bytes(),
  );
  expect(config.ociVersion).toBe("1.0.2-dev");
  expect(config.root).toEqual({ path: "/var/tmp/buildah1/mnt/rootfs" });
  expect(config.process?.user).toEqual({ uid: 0, gid: 0, additionalGids: [0] });
  expect(config.process?.rlimits?.[0]).toEqual({ type: "RLIMIT_NOFILE", soft: 1024n, hard: 1024n });
  expect(config.process?.capabilities?.inheritable).toBeUndefined();
  expect(config.mounts).toHaveLength(11);
  expect(config.mounts?.[3]).toEqual({
    destination: "/etc/hostname",
    type: "bind",
    source: "/var/tmp/buildah1/hostname",
    options: ["rbind"],
  });
  expect(config.linux?.resources).toEqual({ devices: [{ allow: false, access: "rwm" }] });
  expect(config.linux?.seccomp?.defaultErrnoRet).toBe(38);
  expect(config.linux?.seccomp?.syscalls?.[6]?.args?.[0]).toEqual({
    index: 0,
    value: 4294967295n,
    op: "SCMP_CMP_EQ",
  });
});

test("any 1.x version is taken, no other", () => {
  const version = (ociVersion: unknown): string =>
    refusal(() => parseValue({ ...exampleJson(), ociVersion }));
  for (const good of ["1.0.0", "1.0.2-dev", "1.0.0-rc5", "1.1.0+dev", "1.2.1", "1.3.0", "1.99.0-rc.1+x"]) {
    expect(version(good)).toBe("accepted");
  }
  for (const bad of [
    "2.0.0",
    "0.5.0",
    "1",
    "1.0",
    "1.0.0.0",
    "1.01.0",
    "1.0.x",
    "1.1e1.0",
    "1.0.0-",
    "v1.0.0",
    "",
    1,
  ]) {
    expect(version(bad)).toStartWith(`ociVersion is ${JSON.stringify(bad)}: it must be a 1.x version`);
  }
  expect(version(undefined)).toBe(
    'ociVersion is missing: it must be a 1.x version of the OCI runtime specification, such as "1.3.0"',
  );
});

test("what has left the specification is ignored, too", () => {
  const { linux } = exampleConfig({ linux: { intelRdt: { closID: "a", enableCMT: true, enableMBM: true } } });
  expect(linux?.intelRdt).toEqual({ closID: "a" });
});

test("unknown keys are ignored, at every level", () => {
  const config = exampleConfig({
    windows: { layerFolders: 5 },
    process: { commandLine: 5 },
    linux: { resources: { newThing: [], memory: { newer: {} } } },
  });
  expect(Object.keys(config).sort()).toEqual(["linux", "ociVersion", "process", "root"]);
  expect(config.linux?.resources).toEqual({ memory: {} });
});

test("null is absent, as programs in Go mean it", () => {
  const config = exampleConfig({
    hostname: null,
    mounts: null,
    process: { env: null, user: null, capabilities: { ambient: null } },
    linux: { seccomp: null, sysctl: null, resources: { memory: { limit: null }, pids: null } },
    annotations: null,
  });
  expect(Object.keys(config).sort()).toEqual(["linux", "ociVersion", "process", "root"]);
  expect(config.process?.capabilities).toEqual({});
  expect(config.linux?.resources).toEqual({ memory: {} });
  expect(refused({ process: { cwd: null } })).toBe(
    'process.cwd is missing: it must be an absolute path in the container, such as "/"',
  );
  expect(refused({ process: { args: ["a", null] } })).toBe("process.args[1] is null: it must be a string");
});

test("a process without a user runs as root, as in runc and crun", () => {
  const config = parseValue({ ociVersion: "1.0.0", root: { path: "r" }, process: { cwd: "/", args: ["x"] } });
  expect(config.process?.user).toEqual({ uid: 0, gid: 0 });
});

test("numbers of 64 bits keep their value, and are always bigints", () => {
  const bytes = encode(`{"ociVersion": "1.0.0", "root": {"path": "r"}, "linux": {
    "resources": {"memory": {"limit": 9223372036854771712, "swap": -1}, "pids": {"limit": 0}},
    "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["x"], "action": "SCMP_ACT_LOG",
      "args": [{"index": 0, "value": 18446744073709551615, "valueTwo": 9007199254740993, "op": "SCMP_CMP_EQ"}]}]}}}`);
  const { linux } = parseConfig(bytes);
  expect(linux?.resources?.memory).toEqual({ limit: 9223372036854771712n, swap: -1n });
  expect(linux?.resources?.pids?.limit).toBe(0n);
  expect(linux?.seccomp?.syscalls?.[0]?.args?.[0]).toEqual({
    index: 0,
    value: 18446744073709551615n,
    valueTwo: 9007199254740993n,
    op: "SCMP_CMP_EQ",
  });
});

test("numbers beyond their range are refused with the range", () => {
  const limit = (json: string): string =>
    refusal(() => parseResources(encode(`{"memory": {"limit": ${json}}}`)));
  const right = "it must be a whole number from -9223372036854775808 to 9223372036854775807";
  expect(limit("9223372036854775807")).toBe("accepted");
  expect(limit("9223372036854775808")).toBe(`linux.resources.memory.limit is 9223372036854775808: ${right}`);
  expect(limit("1.5")).toBe(`linux.resources.memory.limit is 1.5: ${right}`);
  expect(limit("1e30")).toBe(`linux.resources.memory.limit is 1e+30: ${right}`);
  expect(limit('"1"')).toBe(`linux.resources.memory.limit is "1": ${right}`);
  // setresuid(2) takes -1 as "leave it as it is", which is root.
  expect(refused({ process: { user: { uid: 4294967295, gid: 0 } } })).toBe(
    "process.user.uid is 4294967295: it must be a whole number from 0 to 4294967294",
  );
});

test("each error names the property, what it is, and what would be right", () => {
  expect(refused({ mounts: [{ destination: "/a" }, { destination: "/b", options: ["ro", 5] }] })).toBe(
    "mounts[1].options[1] is 5: it must be a string",
  );
  expect(refused({ mounts: [{ source: "x" }] })).toBe(
    "mounts[0].destination is missing: it must be a path in the container",
  );
  expect(refused({ mounts: {} })).toBe("mounts is an object: it must be a list");
  expect(refused({ linux: { resources: [] } })).toBe(
    "linux.resources is an empty list: it must be an object",
  );
  expect(refused({ root: undefined })).toBe("root is missing: it must be an object");
  expect(refused({ root: [1] })).toBe("root is a list: it must be an object");
  expect(refused({ process: { terminal: "yes" } })).toBe(
    'process.terminal is "yes": it must be true or false',
  );
  expect(refused({ linux: { sysctl: { "net.ipv4.ip_forward": 1 } } })).toBe(
    'linux.sysctl["net.ipv4.ip_forward"] is 1: it must be a string',
  );
  expect(refused({ annotations: [] })).toBe(
    "annotations is an empty list: it must be an object whose values are strings",
  );
  expect(refused({ linux: { namespaces: [{ type: "net" }] } })).toBe(
    'linux.namespaces[0].type is "net": it must be one of mount, pid, network, uts, ipc, user, cgroup, time',
  );
  expect(refused({ linux: { namespaces: [{}] } })).toBe(
    "linux.namespaces[0].type is missing: it must be one of mount, pid, network, uts, ipc, user, cgroup, time",
  );
  expect(refused({ process: { rlimits: [{ type: "RLIMIT_CORE", soft: 0 }] } })).toBe(
    "process.rlimits[0].hard is missing: it must be a whole number from 0 to 18446744073709551615",
  );
  expect(refused({ hostname: [`x`], domainname: 5 })).toBe("hostname is a list: it must be a string");
});

test("capabilities and system calls that nobody knows pass", () => {
  const config = exampleConfig({
    process: { capabilities: { bounding: ["CAP_NEW"] } },
    linux: {
      seccomp: { defaultAction: "SCMP_ACT_LOG", syscalls: [{ names: ["new"], action: "SCMP_ACT_TRAP" }] },
    },
  });
  expect(config.process?.capabilities?.bounding).toEqual(["CAP_NEW"]);
});

test("a NUL is refused where it would reach the kernel", () => {
  expect(refused({ process: { args: ["a\0b"] } })).toBe(
    'process.args[0] is "a\\u0000b": it must not contain a NUL (\\u0000)',
  );
  expect(refused({ linux: { sysctl: { "a\0": "1" } } })).toBe(
    'linux.sysctl is "a\\u0000": it must not contain a NUL (\\u0000)',
  );
  expect(refused({ annotations: { a: "\0" }, unknown: "\0" })).toBe("accepted");
});

test("documents of exec and update are read as parts of config.json", () => {
  expect(parseProcess(encode('{"cwd": "/", "args": ["sh"]}')).args).toEqual(["sh"]);
  expect(refusal(() => parseProcess(encode('{"args": ["sh"]}')))).toStartWith("process.cwd is missing");
  expect(parseResources(encode('{"cpu": {"quota": -1}}')).cpu).toEqual({ quota: -1n });
  expect(refusal(() => parseProcess(encode("")))).toBe("process is empty: it must hold JSON");
  expect(refusal(() => parseResources(encode("{]")))).toStartWith("linux.resources is not JSON: line 1");
  expect(refusal(() => parseMounts(encode("[]x")))).toStartWith("mounts is not JSON: line 1");
  expect(refusal(() => parseMounts(new Uint8Array([255])))).toStartWith("mounts is not text in UTF-8");
});

test("what is not JSON at all", () => {
  const parsed = (text: string): string => refusal(() => parseConfig(encode(text)));
  expect(parsed("")).toBe("config.json is empty: it must hold JSON");
  expect(parsed("[]")).toBe("config.json is an empty list: it must be an object");
  expect(parsed("null")).toBe("config.json is null: it must be an object");
  expect(parsed('"x"')).toBe('config.json is "x": it must be an object');
  expect(parsed('{\n  "root": {},\n}')).toBe(
    'config.json is not JSON: line 3, column 1 has "}" where a property name in double quotes (") was expected',
  );
  expect(refusal(() => parseConfig(new Uint8Array([0x7b, 0xff, 0x7d])))).toBe(
    "config.json is not text in UTF-8, which JSON must be",
  );
  expect(parsed('\ufeff{"ociVersion": "1.0.0", "root": {"path": "r"}}')).toBe("accepted");
});

test("any depth of nesting is refused or ignored, not crashed on", () => {
  const parsed = (text: string): string => refusal(() => parseConfig(encode(text)));
  const deep = 200_000;
  const tower = "[".repeat(deep) + "]".repeat(deep);
  expect(parsed(tower)).toBe("config.json is a list: it must be an object");
  expect(parsed("[".repeat(deep))).toStartWith("config.json is not JSON: it ends in line 1");
  expect(parsed(`${'{"root":'.repeat(deep)}1${"}".repeat(deep)}`)).toBe(
    'ociVersion is missing: it must be a 1.x version of the OCI runtime specification, such as "1.3.0"',
  );
  expect(parsed(`{"ociVersion": "1.0.0", "root": {"path": "r"}, "x": ${tower}}`)).toBe("accepted");
  expect(parsed(`{"y": 10000000000000000, "x": ${tower}}`)).toBe(
    "config.json is nested too deeply to be read",
  );
});

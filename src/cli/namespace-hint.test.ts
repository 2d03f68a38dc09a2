import { expect, test } from "bun:test";
import { ERRNO } from "../../ffi/constants/errno.ts";
import { findNamespaceHint } from "./namespace-hint.ts";

const flags = "clone3({flags=CLONE_NEWUSER|CLONE_NEWPID}, 88)";
const clone = { call: "clone3", errno: ERRNO.EPERM } as const;
const full = { call: "clone3", errno: ERRNO.ENOSPC } as const;
const machine = (values: Record<string, string>) => (path: string) => values[path];

test("a limit of 0 is named", () => {
  const hint = (values: Record<string, string>) => findNamespaceHint(full, flags, 0, machine(values));
  expect(hint({ "user/max_user_namespaces": "0" })?.cure).toContain("sysctl user.max_user_namespaces=15000");
  expect(hint({ "user/max_user_namespaces": "9", "user/max_pid_namespaces": "0" })?.cause).toContain(
    "user.max_pid_namespaces is 0",
  );
  const tree = { call: "open_tree", errno: ERRNO.ENOSPC } as const;
  expect(findNamespaceHint(tree, "", 0, machine({ "user/max_mnt_namespaces": "0" }))?.cause).toContain(
    "user.max_mnt_namespaces is 0",
  );
  // Not asked for, so not what is in the way.
  expect(hint({ "user/max_net_namespaces": "0" })).toBeUndefined();
  expect(hint({})).toBeUndefined();
});

test("Debian's and Ubuntu's settings are named to plain users", () => {
  const debian = machine({ "kernel/unprivileged_userns_clone": "0" });
  const ubuntu = machine({ "kernel/apparmor_restrict_unprivileged_userns": "1" });
  expect(findNamespaceHint(clone, flags, 1000, debian)?.cure).toContain(
    "sysctl kernel.unprivileged_userns_clone=1",
  );
  expect(findNamespaceHint(clone, flags, 1000, ubuntu)?.cause).toContain("AppArmor");
  // Ubuntu lets the namespace be made and refuses what is done in it.
  const mount = { call: "mount", errno: ERRNO.EACCES } as const;
  expect(findNamespaceHint(mount, "mount(NULL, …)", 1000, ubuntu)?.cure).toContain("/etc/apparmor.d");
  expect(findNamespaceHint(mount, "mount(NULL, …)", 1000, debian)).toBeUndefined();
  expect(findNamespaceHint(mount, "mount(NULL, …)", 0, ubuntu)).toBeUndefined();
  expect(findNamespaceHint(clone, "clone3({flags=CLONE_NEWPID}, 88)", 1000, debian)).toBeUndefined();
});

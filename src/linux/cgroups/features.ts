/** What bunc does with cgroups, whatever this machine has. runtime-spec 1.3.0, features-linux.md, "Cgroup". */
export const cgroupFeatures = {
  v1: true,
  v2: true,
  // Names in systemd's form are understood, but systemd is not asked to make the cgroups.
  systemd: false,
  systemdUser: false,
} as const;

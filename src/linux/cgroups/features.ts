/** What bunc does with cgroups, whatever this machine has. runtime-spec 1.3.0, features-linux.md, "Cgroup". */
export const cgroupFeatures = {
  v1: true,
  v2: true,
  systemd: true,
  systemdUser: true,
} as const;

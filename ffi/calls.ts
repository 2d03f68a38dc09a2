// Every system call that bunc makes, now or from a recorded program: one table serves both.
// Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (arm64).
// Calls that arm64 never had (open, mkdir, dup2, fork …) have no row: their *at or *3 forms do.

/**
 * What an argument is, for its type here and for its rendering in traces, listings and errors. A name in capitals is
 * the table of ffi/constants that decodes a number.
 */
export type Kind = "fd" | "path" | "text" | "bytes" | "int" | "mode" | "any" | FlagTable;

/** The tables of ffi/constants that decode numbers; ffi/describe.ts knows where each is. */
export type FlagTable =
  | "ACCESS"
  | "AF"
  | "AT"
  | "BPF"
  | "CLONE"
  | "CLOSE_RANGE"
  | "F"
  | "FSCONFIG"
  | "FSMOUNT"
  | "FSOPEN"
  | "FSPICK"
  | "IOCTL"
  | "KEYCTL"
  | "LOCK"
  | "MFD"
  | "MNT"
  | "MOUNT_ATTR"
  | "MOVE_MOUNT"
  | "MS"
  | "MSG"
  | "O"
  | "OPEN_TREE"
  | "P"
  | "PR"
  | "RENAME"
  | "RLIMIT"
  | "SECCOMP"
  | "SECCOMP_FILTER_FLAG"
  | "SIG"
  | "SOCK"
  | "W";

/** Number on x86-64, number on arm64, kinds of the arguments. */
export type CallRow = readonly [x64: number, arm64: number, ...args: Kind[]];

export const calls = {
  // ssize_t read(int fd, void *buf, size_t count)
  read: [0, 63, "fd", "bytes", "int"],
  // ssize_t write(int fd, const void *buf, size_t count)
  write: [1, 64, "fd", "bytes", "int"],
  // ssize_t pread64(int fd, void *buf, size_t count, off_t offset)
  pread64: [17, 67, "fd", "bytes", "int", "int"],
  // ssize_t sendfile(int out, int in, off_t *offset, size_t count)
  sendfile: [40, 71, "fd", "fd", "bytes", "int"],
  // ssize_t pwrite64(int fd, const void *buf, size_t count, off_t offset)
  pwrite64: [18, 68, "fd", "bytes", "int", "int"],
  // int close(int fd)
  close: [3, 57, "fd"],
  // int close_range(unsigned first, unsigned last, unsigned flags)
  close_range: [436, 436, "fd", "fd", "CLOSE_RANGE"],
  // int openat(int dirfd, const char *path, int flags, mode_t mode)
  openat: [257, 56, "fd", "path", "O", "mode"],
  // int openat2(int dirfd, const char *path, struct open_how *how, size_t size)
  openat2: [437, 437, "fd", "path", "bytes", "int"],
  // int mkdirat(int dirfd, const char *path, mode_t mode)
  mkdirat: [258, 34, "fd", "path", "mode"],
  // int mknodat(int dirfd, const char *path, mode_t mode, dev_t dev)
  mknodat: [259, 33, "fd", "path", "mode", "int"],
  // int unlinkat(int dirfd, const char *path, int flags)
  unlinkat: [263, 35, "fd", "path", "AT"],
  // int symlinkat(const char *target, int dirfd, const char *path)
  symlinkat: [266, 36, "path", "fd", "path"],
  // int linkat(int olddirfd, const char *old, int newdirfd, const char *new, int flags)
  linkat: [265, 37, "fd", "path", "fd", "path", "AT"],
  // int renameat2(int olddirfd, const char *old, int newdirfd, const char *new, unsigned flags)
  renameat2: [316, 276, "fd", "path", "fd", "path", "RENAME"],
  // ssize_t readlinkat(int dirfd, const char *path, char *buf, size_t size)
  readlinkat: [267, 78, "fd", "path", "bytes", "int"],
  // int faccessat2(int dirfd, const char *path, int mode, int flags)
  faccessat2: [439, 439, "fd", "path", "ACCESS", "AT"],
  // int fchmod(int fd, mode_t mode)
  fchmod: [91, 52, "fd", "mode"],
  // int fchmodat(int dirfd, const char *path, mode_t mode)
  fchmodat: [268, 53, "fd", "path", "mode"],
  // int fchown(int fd, uid_t uid, gid_t gid)
  fchown: [93, 55, "fd", "int", "int"],
  // int fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
  fchownat: [260, 54, "fd", "path", "int", "int", "AT"],
  // int newfstatat(int dirfd, const char *path, struct stat *stat, int flags)
  newfstatat: [262, 79, "fd", "path", "bytes", "AT"],
  // int statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *statx)
  statx: [332, 291, "fd", "path", "AT", "int", "bytes"],
  // ssize_t llistxattr(const char *path, char *list, size_t size)
  llistxattr: [195, 12, "path", "bytes", "int"],
  // ssize_t fgetxattr(int fd, const char *name, void *value, size_t size)
  fgetxattr: [193, 10, "fd", "text", "bytes", "int"],
  // int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
  fsetxattr: [190, 7, "fd", "text", "bytes", "int", "int"],
  // ssize_t getxattr(const char *path, const char *name, void *value, size_t size)
  getxattr: [191, 8, "path", "text", "bytes", "int"],
  // int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
  setxattr: [188, 5, "path", "text", "bytes", "int", "int"],
  // int fstatfs(int fd, struct statfs *statfs)
  fstatfs: [138, 44, "fd", "bytes"],
  // int statfs(const char *path, struct statfs *statfs)
  statfs: [137, 43, "path", "bytes"],
  // ssize_t getdents64(int fd, void *entries, size_t size)
  getdents64: [217, 61, "fd", "bytes", "int"],
  // int ftruncate(int fd, off_t length)
  ftruncate: [77, 46, "fd", "int"],
  // off_t lseek(int fd, off_t offset, int whence)
  lseek: [8, 62, "fd", "int", "int"],
  // int dup3(int old, int new, int flags)
  dup3: [292, 24, "fd", "fd", "O"],
  // int fcntl(int fd, int command, long argument)
  fcntl: [72, 25, "fd", "F", "int"],
  // int ioctl(int fd, unsigned long request, void *argument)
  ioctl: [16, 29, "fd", "IOCTL", "any"],
  // int pipe2(int fds[2], int flags)
  pipe2: [293, 59, "bytes", "O"],
  // int flock(int fd, int operation)
  flock: [73, 32, "fd", "LOCK"],
  // int memfd_create(const char *name, unsigned flags)
  memfd_create: [319, 279, "text", "MFD"],
  // int fchdir(int fd)
  fchdir: [81, 50, "fd"],
  // int chdir(const char *path)
  chdir: [80, 49, "path"],
  // int getcwd(char *buf, size_t size): the length; libc's wrapper returns a pointer instead
  getcwd: [79, 17, "bytes", "int"],
  // int chroot(const char *path)
  chroot: [161, 51, "path"],
  // int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
  mount: [165, 40, "path", "path", "text", "MS", "text"],
  // int umount2(const char *target, int flags)
  umount2: [166, 39, "path", "MNT"],
  // int pivot_root(const char *new_root, const char *put_old)
  pivot_root: [155, 41, "path", "path"],
  // int open_tree(int dirfd, const char *path, unsigned flags)
  open_tree: [428, 428, "fd", "path", "OPEN_TREE"],
  // int move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
  move_mount: [429, 429, "fd", "path", "fd", "path", "MOVE_MOUNT"],
  // int fsopen(const char *type, unsigned flags)
  fsopen: [430, 430, "text", "FSOPEN"],
  // int fsconfig(int fd, unsigned command, const char *key, const void *value, int aux)
  fsconfig: [431, 431, "fd", "FSCONFIG", "text", "text", "fd"],
  // int fsmount(int fd, unsigned flags, unsigned attributes)
  fsmount: [432, 432, "fd", "FSMOUNT", "MOUNT_ATTR"],
  // int fspick(int dirfd, const char *path, unsigned flags)
  fspick: [433, 433, "fd", "path", "FSPICK"],
  // int mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr, size_t size)
  mount_setattr: [442, 442, "fd", "path", "AT", "bytes", "int"],
  // int unshare(unsigned long flags)
  unshare: [272, 97, "CLONE"],
  // int setns(int fd, int type)
  setns: [308, 268, "fd", "CLONE"],
  // long clone3(struct clone_args *args, size_t size)
  clone3: [435, 435, "bytes", "int"],
  // int execve(const char *path, char *const argv[], char *const envp[])
  execve: [59, 221, "path", "bytes", "bytes"],
  // int execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
  execveat: [322, 281, "fd", "path", "bytes", "bytes", "AT"],
  // void exit_group(int status)
  exit_group: [231, 94, "int"],
  // pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
  wait4: [61, 260, "int", "bytes", "int", "bytes"],
  // int waitid(int type, id_t id, siginfo_t *info, int options, struct rusage *usage)
  waitid: [247, 95, "P", "int", "bytes", "W", "bytes"],
  // int kill(pid_t pid, int signal)
  kill: [62, 129, "int", "SIG"],
  // int pidfd_open(pid_t pid, unsigned flags)
  pidfd_open: [434, 434, "int", "int"],
  // int pidfd_send_signal(int pidfd, int signal, siginfo_t *info, unsigned flags)
  pidfd_send_signal: [424, 424, "fd", "SIG", "bytes", "int"],
  // int pidfd_getfd(int pidfd, int fd, unsigned flags)
  pidfd_getfd: [438, 438, "fd", "fd", "int"],
  // pid_t getpid(void)
  getpid: [39, 172],
  // pid_t getppid(void)
  getppid: [110, 173],
  // uid_t getuid(void)
  getuid: [102, 174],
  // uid_t geteuid(void)
  geteuid: [107, 175],
  // gid_t getgid(void)
  getgid: [104, 176],
  // gid_t getegid(void)
  getegid: [108, 177],
  // int getgroups(int size, gid_t list[])
  getgroups: [115, 158, "int", "bytes"],
  // int setgroups(size_t size, const gid_t *list)
  setgroups: [116, 159, "int", "bytes"],
  // int setresuid(uid_t real, uid_t effective, uid_t saved)
  setresuid: [117, 147, "int", "int", "int"],
  // int setresgid(gid_t real, gid_t effective, gid_t saved)
  setresgid: [119, 149, "int", "int", "int"],
  // pid_t setsid(void)
  setsid: [112, 157],
  // mode_t umask(mode_t mask)
  umask: [95, 166, "mode"],
  // int prctl(int operation, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
  prctl: [157, 167, "PR", "any", "any", "int", "int"],
  // int capget(struct cap_header *header, struct cap_data *data)
  capget: [125, 90, "bytes", "bytes"],
  // int capset(struct cap_header *header, const struct cap_data *data)
  capset: [126, 91, "bytes", "bytes"],
  // int seccomp(unsigned operation, unsigned flags, void *args)
  seccomp: [317, 277, "SECCOMP", "SECCOMP_FILTER_FLAG", "bytes"],
  // int sethostname(const char *name, size_t length)
  sethostname: [170, 161, "text", "int"],
  // int setdomainname(const char *name, size_t length)
  setdomainname: [171, 162, "text", "int"],
  // int prlimit64(pid_t pid, int resource, const struct rlimit64 *new, struct rlimit64 *old)
  prlimit64: [302, 261, "int", "RLIMIT", "bytes", "bytes"],
  // int rt_sigaction(int signal, const struct sigaction *new, struct sigaction *old, size_t size)
  rt_sigaction: [13, 134, "SIG", "bytes", "bytes", "int"],
  // int rt_sigprocmask(int how, const sigset_t *set, sigset_t *old, size_t size)
  rt_sigprocmask: [14, 135, "int", "bytes", "bytes", "int"],
  // int personality(unsigned long persona)
  personality: [135, 92, "int"],
  // long keyctl(int operation, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
  keyctl: [250, 219, "KEYCTL", "any", "any", "int", "int"],
  // int socket(int family, int type, int protocol)
  socket: [41, 198, "AF", "SOCK", "int"],
  // int socketpair(int family, int type, int protocol, int fds[2])
  socketpair: [53, 199, "AF", "SOCK", "int", "bytes"],
  // int connect(int fd, const struct sockaddr *address, socklen_t length)
  connect: [42, 203, "fd", "bytes", "int"],
  // int bind(int fd, const struct sockaddr *address, socklen_t length)
  bind: [49, 200, "fd", "bytes", "int"],
  // int listen(int fd, int backlog)
  listen: [50, 201, "fd", "int"],
  // int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
  accept4: [288, 242, "fd", "bytes", "bytes", "SOCK"],
  // ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
  sendmsg: [46, 211, "fd", "bytes", "MSG"],
  // ssize_t recvmsg(int fd, struct msghdr *message, int flags)
  recvmsg: [47, 212, "fd", "bytes", "MSG"],
  // int shutdown(int fd, int how)
  shutdown: [48, 210, "fd", "int"],
  // int ppoll(struct pollfd *fds, unsigned count, const struct timespec *timeout, const sigset_t *mask, size_t size)
  ppoll: [271, 73, "bytes", "int", "bytes", "bytes", "int"],
  // int eventfd2(unsigned count, int flags)
  eventfd2: [290, 19, "int", "O"],
  // int clock_nanosleep(int clock, int flags, const struct timespec *time, struct timespec *left)
  clock_nanosleep: [230, 115, "int", "int", "bytes", "bytes"],
  // int clock_gettime(int clock, struct timespec *time)
  clock_gettime: [228, 113, "int", "bytes"],
  // int bpf(int command, union bpf_attr *attr, unsigned size)
  bpf: [321, 280, "BPF", "bytes", "int"],
  // void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
  mmap: [9, 222, "int", "int", "int", "int", "fd", "int"],
  // int mprotect(void *address, size_t length, int protection)
  mprotect: [10, 226, "int", "int", "int"],
  // int madvise(void *address, size_t length, int advice)
  madvise: [28, 233, "bytes", "int", "int"],
  // int uname(struct utsname *name)
  uname: [63, 160, "bytes"],
  // int sched_setaffinity(pid_t pid, size_t size, const unsigned long *mask)
  sched_setaffinity: [203, 122, "int", "int", "bytes"],
  // int sched_setattr(pid_t pid, struct sched_attr *attr, unsigned flags)
  sched_setattr: [314, 274, "int", "bytes", "int"],
  // int ioprio_set(int which, int who, int priority)
  ioprio_set: [251, 30, "int", "int", "int"],
  // long set_mempolicy(int mode, const unsigned long *nodes, unsigned long maximum)
  set_mempolicy: [238, 237, "int", "bytes", "int"],
  // ssize_t getrandom(void *buf, size_t size, unsigned flags)
  getrandom: [318, 278, "bytes", "int", "int"],
} as const satisfies Record<string, CallRow>;

export type Calls = typeof calls;
export type CallName = keyof Calls;

/** The argument kinds of a call, as a tuple. */
export type ArgumentKinds<N extends CallName> = Calls[N] extends readonly [number, number, ...infer K]
  ? K extends readonly Kind[]
    ? K
    : never
  : never;

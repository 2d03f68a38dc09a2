// What help and manual pages say of a command beyond its line: paragraphs, and examples.

export interface Details {
  readonly text: readonly string[];
  /** What it is for, and the command line. */
  readonly examples: readonly (readonly [purpose: string, line: string])[];
}

const none: Details = { text: [], examples: [] };

const bundleText =
  "A bundle is a directory with a file config.json, which says what the container is, and with the root file system that it names. The id must be unique among the containers of the state root (--root).";

const details: Readonly<Record<string, Details>> = {
  create: {
    text: [
      "Makes a container and everything in it, up to the execution of its program, for which its first process waits. That process becomes a child of the caller. start lets it go on.",
      bundleText,
    ],
    examples: [
      ["create a container of the bundle in the current directory", "bunc create --pid-file pid box"],
    ],
  },
  start: {
    text: [
      "Lets the waiting process of a created container execute its program, and returns when it has done so. With NOTIFY_SOCKET in the environment it returns when the program says that it is ready.",
    ],
    examples: [["start what create has made", "bunc start box"]],
  },
  run: {
    text: [
      "Creates and starts a container, hands signals on to it, and waits for its end. The exit status is that of its program, or 128 and the number of the signal that ended it. Afterwards the container is deleted, unless --keep is given. With --detach it returns as soon as the program runs.",
      bundleText,
    ],
    examples: [
      ["run a container on this terminal", "bunc run --bundle /srv/box box"],
      ["run it in the background", "bunc run --detach --bundle /srv/box box"],
    ],
  },
  exec: {
    text: [
      "Runs a further process in a container that runs, with the container's namespaces, cgroups, capabilities and system call filter. What the options do not say is as in config.json. Its exit status is the process's; 255 when it could not be run.",
    ],
    examples: [
      ["look around in a container", "bunc exec --tty box sh"],
      ["run a process that a file describes", "bunc exec --process process.json box"],
    ],
  },
  state: {
    text: [
      "Prints the state as the runtime specification has it. The status is created, running, paused or stopped; a process that has ended and was not waited for counts as stopped.",
    ],
    examples: [["see whether a container runs", "bunc state box"]],
  },
  kill: {
    text: [
      "Sends a signal to the container's first process, SIGTERM unless another is named, or with --all to every process of the container. Signals are named with SIG or without, or by number.",
    ],
    examples: [
      ["end a container at once", "bunc kill box KILL"],
      ["end every container whose id begins with test-", "bunc kill --regex '^test-' KILL"],
    ],
  },
  stop: {
    text: ["Kills a container when it runs, and removes it and what it holds. Succeeds when there is none."],
    examples: [["remove a container, whatever it is doing", "bunc stop box"]],
  },
  delete: {
    text: [
      "Removes a container that is stopped, or that was never started: its cgroups, its state, and what hooks remove. With --force one that runs is killed first, and one that does not exist is no error.",
    ],
    examples: [["remove a container, whatever it does", "bunc delete --force box"]],
  },
  ps: {
    text: [
      "Shows the processes of a container as ps(1) shows them, whose options may follow the id; -ef unless given. They must leave the column PID in. As JSON it prints the process ids, as the caller's pid namespace numbers them.",
    ],
    examples: [
      ["show the processes", "bunc ps box"],
      ["show their memory", "bunc ps box -e -o pid,rss,args"],
    ],
  },
  events: {
    text: [
      "Prints a line of JSON with what the container's cgroups have counted, every so often, and a line each time that the kernel has killed one of its processes for lack of memory. It ends with the container.",
    ],
    examples: [
      ["see what a container uses", "bunc events --stats box"],
      ["watch it", "bunc events --interval 1s box"],
    ],
  },
  update: {
    text: [
      "Changes limits of a container, also while it runs. What is not named stays as it is. The document of --resources is a part of linux.resources of config.json; with it other limits on the command line are without effect. Rules of devices stay. When one limit cannot be set, none is changed.",
      "Bytes may have a unit: 512k, 100M, 1.5G. -1 is no limit. 0 leaves a limit as it is.",
    ],
    examples: [
      ["give a container more memory", "bunc update --memory 1G --memory-swap 2G box"],
      ["limits from standard input", `echo '{"pids":{"limit":50}}' | bunc update --resources - box`],
    ],
  },
  mounts: {
    text: [
      "Adds mounts to a container that is there already, or takes them off. The file holds a JSON array of entries as in mounts of config.json. Sources are looked up where the caller is, destinations in the container's root. Either all are added or none. remove reads the destinations alone, takes the topmost mount off each, and follows no link on the way.",
    ],
    examples: [
      [
        "give a container a volume",
        `echo '[{"destination":"/data","source":"/srv/data","options":["rbind"]}]' | bunc mounts add box -`,
      ],
    ],
  },
  pause: {
    text: [
      "Stops every process of a container by the freezer of its cgroup, until resume lets them go on. exec is refused meanwhile, unless it is told to wait.",
    ],
    examples: [["stop a container for a while", "bunc pause box"]],
  },
  resume: {
    text: ["Lets the processes of a paused container go on."],
    examples: [["let a paused container go on", "bunc resume box"]],
  },
  list: {
    text: [
      "Lists the containers of the state root (--root), those that have ended and were not deleted included.",
    ],
    examples: [["see which containers there are", "bunc list"]],
  },
  plan: {
    text: [
      "Prints the system calls that create would have the container's processes make, as strace would, each with the property of config.json that asks for it. Nothing is made.",
    ],
    examples: [["see what a bundle asks for", "bunc plan --bundle /srv/box"]],
  },
  spec: {
    text: [
      "Writes a config.json that runs sh in the directory rootfs beside it, to be edited. With --rootless it needs no privileges: the user becomes root of a user namespace.",
    ],
    examples: [["begin a bundle", "bunc spec --bundle /srv/box"]],
  },
  features: {
    text: [
      "Prints the features document of the runtime specification: which hooks, mount options, namespaces, capabilities and so on may be in a config.json. It says what bunc implements, whatever this machine has.",
    ],
    examples: [],
  },
  completion: {
    text: ["Prints a script by which a shell completes commands, options, ids of containers and file names."],
    examples: [
      ["for bash", "bunc completion bash > /etc/bash_completion.d/bunc"],
      ["for zsh", "bunc completion zsh > /usr/local/share/zsh/site-functions/_bunc"],
      ["for fish", "bunc completion fish > /etc/fish/completions/bunc.fish"],
    ],
  },
};

/** What there is to say of a command; nothing when its line says it all. */
export function detailsOf(name: string): Details {
  return details[name] ?? none;
}

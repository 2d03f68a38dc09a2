// What a service manager says in the environment of the programs that it starts.

/** Descriptors and the socket that a caller such as systemd has for a service. */
export interface ServiceManager {
  /** How many of the descriptors from 3 on are the service's sockets. */
  readonly listenFds: number;
  /** Where it waits to be told that the service is ready: a path, or `@` and an abstract name; undefined for nowhere. */
  readonly notifySocket: string | undefined;
}

/** An environment. */
export type ServiceVariables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables. Descriptors count only when LISTEN_PID names this process: inherited variables speak of an
 * ancestor's. sd_listen_fds(3), sd_notify(3).
 */
export function readServiceManager(variables: ServiceVariables, pid: number): ServiceManager {
  const { LISTEN_FDS = "", LISTEN_PID, NOTIFY_SOCKET } = variables;
  const meant = LISTEN_PID === String(pid) && /^\d{1,6}$/.test(LISTEN_FDS);
  return { listenFds: meant ? Number(LISTEN_FDS) : 0, notifySocket: NOTIFY_SOCKET || undefined };
}

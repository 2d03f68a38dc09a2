/** Lines of /proc/PID/mountinfo. proc_pid_mountinfo(5). */

export interface Mounted {
  target: string;
  root: string;
  /** Of this mount: ro, nosuid… */
  options: string[];
  /** shared:N, master:N, unbindable */
  propagation: string[];
  type: string;
  /** Of the file system: size=…, mode=… */
  superOptions: string[];
}

export function parseMount(line: string): Mounted {
  const [front = "", back = ""] = line.split(" - ");
  const [, , , root = "", target = "", options = "", ...propagation] = front.split(" ");
  const [type = "", , superOptions = ""] = back.split(" ");
  return {
    target,
    root,
    options: options.split(","),
    propagation,
    type,
    superOptions: superOptions.split(","),
  };
}

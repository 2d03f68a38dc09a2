/** The command that is the supervisor of root emulation, which no person calls: see superviseRoot. */
export const supervisorCommand = "supervise-root";

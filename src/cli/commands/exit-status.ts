/** Exit statuses of several commands: EX_USAGE, EX_SOFTWARE and EX_CONFIG of sysexits.h. */

export const wrongCommandLine = [64, 'wrong command line'] as const;

/** EX_UNAVAILABLE: the daemon or agent that the command asks does not answer. */
export const noneRuns = 69;

export const otherFailure = [70, 'any other failure; standard error names it'] as const;

export const badConfiguration = [78, 'bad configuration'] as const;

/** The statuses of a daemon in the foreground. */
export const daemonStatuses = [
  [0, 'SIGTERM or SIGINT ended it'],
  [1, 'it failed; the last line of the log says why'],
  badConfiguration,
] as const;

/** The statuses of a command that prints a line for each check. */
export const checkStatuses = [
  [0, 'everything is in order'],
  [1, 'at least one line says FAIL'],
  otherFailure,
] as const;

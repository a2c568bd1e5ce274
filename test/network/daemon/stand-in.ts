/** Stand-ins for net-vm's programs that do not work properly. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { withNetVm } from './net-vm.ts';

/**
 * Reads all of stdin first: the script's state then counts when a standby program is used, not when it is
 * started. A script finds the input in /proc/self/fd/0.
 */
const whole = (file: string): string =>
  `case "$*" in *" -" | *" /proc/self/fd/0") cat >${file}.$$; exec <${file}.$$; rm ${file}.$$;; esac`;

/** The host with a daemon that looks for programs in this directory first. */
const withPath = (host: SimHost, directory: string): SimHost => ({
  ...host,
  startDaemon: () => {
    const { PATH } = process.env;
    Object.assign(process.env, { PATH: `${directory}:${PATH}` });
    try {
      // The daemon's process exists before this returns.
      return host.startDaemon();
    } finally {
      Object.assign(process.env, { PATH });
    }
  },
});

/** Runs the body with shell scripts in front of the daemon's programs; each script runs the real program. */
export const withScripts = async (
  scripts: (directory: string) => Readonly<Record<string, string>>,
  body: (host: SimHost, directory: string) => Promise<void>,
): Promise<void> => {
  await withNetVm(
    async (host) => {
      const directory = `${host.sim.directory}/bin`;
      mkdirSync(directory);
      for (const [program, script] of Object.entries(scripts(directory))) {
        const text = `#!/bin/sh\n${whole(`${directory}/input`)}\n${script}\n`;
        writeFileSync(`${directory}/${program}`, text, { mode: 0o755 });
      }
      const scripted = withPath(host, directory);
      await scripted.startDaemon();
      await body(scripted, directory);
    },
    { daemon: false },
  );
};

export type Flag = { set(): void; clear(): void; isSet(): boolean };

/** The shell command with which a stand-in hangs until its flag is cleared. */
export const hang = 'while [ -e "$flag" ]; do sleep 0.02; done';

/**
 * Puts a script in front of a program of the daemon. While a flag file exists, the script runs `before`
 * first; `before` finds the file's path in $flag.
 * @param isSet whether the flag exists from the start
 */
export const withStandIn = async (
  program: string,
  before: string,
  body: (host: SimHost, flag: Flag) => Promise<void>,
  isSet = false,
): Promise<void> => {
  await withScripts(
    (directory) => {
      if (isSet) writeFileSync(`${directory}/flag`, '');
      const script = `flag=${directory}/flag\n[ ! -e $flag ] || { ${before}; }\nexec /usr/sbin/${program} "$@"`;
      return { [program]: script };
    },
    async (host, directory) => {
      const flag = `${directory}/flag`;
      await body(host, {
        set: () => writeFileSync(flag, ''),
        clear: () => rmSync(flag),
        isSet: () => existsSync(flag),
      });
    },
  );
};

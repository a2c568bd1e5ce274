/** Programs of net-vm that do not work as they should. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { withNetVm } from './net-vm.ts';

/**
 * What comes on stdin is read first: a program that stands by is as it is when it is used, not when it was started. A
 * script finds it in /proc/self/fd/0.
 */
const whole = (file: string): string =>
  `case "$*" in *" -" | *" /proc/self/fd/0") cat >${file}.$$; exec <${file}.$$; rm ${file}.$$;; esac`;

/** The host with a daemon that looks into a directory before it looks where programs usually are. */
const withPath = (host: SimHost, directory: string): SimHost => ({
  ...host,
  startDaemon: () => {
    const { PATH } = process.env;
    Object.assign(process.env, { PATH: `${directory}:${PATH}` });
    try {
      // The daemon's process is made before this returns.
      return host.startDaemon();
    } finally {
      Object.assign(process.env, { PATH });
    }
  },
});

/** Runs the body with shell scripts in front of programs of the daemon's; each script runs the program itself. */
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

/** What a stand-in runs to hang until its flag is cleared. */
export const hang = 'while [ -e "$flag" ]; do sleep 0.02; done';

/**
 * Puts a script in front of a program of the daemon's; it runs `before` first as long as a flag is there, which it is
 * from the start if asked for. `before` finds the flag in $flag.
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

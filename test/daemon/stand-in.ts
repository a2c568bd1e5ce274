/** Programs of net-vm that do not work as they should. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { withNetVm } from './net-vm.ts';

/** What comes on stdin is read first: a program that stands by is as it is when it is used, not when it was started. */
const whole = (file: string): string =>
  `case "$*" in *" -" | *" /proc/self/fd/0") cat >${file}.$$; exec <${file}.$$; rm ${file}.$$;; esac`;

/**
 * Puts a script in front of a program of the daemon's; it runs `before` first as long as a flag is there, which it is
 * from the start if asked for.
 */
export const withStandIn = async (
  program: string,
  before: string,
  body: (host: SimHost, flag: { set(): void; clear(): void; isSet(): boolean }) => Promise<void>,
  isSet = false,
): Promise<void> => {
  await withNetVm(
    async (host) => {
      const directory = `${host.sim.directory}/bin`;
      const flag = `${directory}/flag`;
      mkdirSync(directory);
      const script = `#!/bin/sh\n${whole(`${directory}/input`)}\n[ ! -e ${flag} ] || { ${before}; }\nexec /usr/sbin/${program} "$@"\n`;
      writeFileSync(`${directory}/${program}`, script);
      chmodSync(`${directory}/${program}`, 0o755);
      if (isSet) writeFileSync(flag, '');
      const { PATH } = process.env;
      Object.assign(process.env, { PATH: `${directory}:${PATH}` });
      await host.startDaemon();
      Object.assign(process.env, { PATH });
      await body(host, {
        set: () => writeFileSync(flag, ''),
        clear: () => rmSync(flag),
        isSet: () => existsSync(flag),
      });
    },
    { daemon: false },
  );
};

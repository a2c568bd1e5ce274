/**
 * The wall clock is set past the end of a rule. The rule must end within seconds. A preloaded library, which
 * wraps gettimeofday and clock_gettime, sets the daemon's clock only.
 */
import { writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import { startUntil } from '../../rig/sim/appearance.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertDoesNotReach, assertReaches } from '../../scenario/ping.ts';
import { create, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';

const library = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long offset(void) {
  FILE *f = fopen(getenv("CLOCK_OFFSET"), "re");
  long n = 0;
  if (f) { if (fscanf(f, "%ld", &n) != 1) n = 0; fclose(f); }
  return n;
}
int gettimeofday(struct timeval *restrict tv, void *restrict tz) {
  static int (*real)(struct timeval *, void *);
  if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
  int rc = real(tv, tz);
  if (tv) tv->tv_sec += offset();
  return rc;
}
int clock_gettime(clockid_t id, struct timespec *ts) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int rc = real(id, ts);
  if (id == CLOCK_REALTIME) ts->tv_sec += offset();
  return rc;
}
`;

const main = new URL('../../../dist/main.js', import.meta.url).pathname;

/** Starts the daemon; resolves with a function that sets its clock forward by a number of seconds. */
const startWithClock = async ({ sim, netVm }: SimHost): Promise<(seconds: number) => void> => {
  const { directory } = sim;
  const source = `${directory}/clock.c`;
  writeFileSync(source, library);
  await execa('cc', ['-shared', '-fPIC', '-O1', '-o', `${directory}/clock.so`, source, '-ldl']);
  const setForward = (seconds: number): void =>
    writeFileSync(`${directory}/offset`, `${seconds}\n`);
  setForward(0);
  const argv = sim.inNamespace(namespaceOf(netVm), [
    ...['env', `LD_PRELOAD=${directory}/clock.so`, `CLOCK_OFFSET=${directory}/offset`],
    ...[process.execPath, main, '--config', `${directory}/vifwatch.toml`],
    ...['--runtime', `${directory}/vifwatch`, 'run'],
  ]);
  await startUntil(`${directory}/vifwatch/vifwatch.sock`, () =>
    sim.start('vifwatch-clock', argv, { domid: netVm }),
  );
  return setForward;
};

test('a rule ends when the clock is set past its end, although nothing else happens', () =>
  withNetVm(
    async (host) => {
      const expire = Math.ceil(Date.now() / 1000) + 600;
      const rule = `[[rule]]\naction = "accept"\nexpire = ${expire}\n`;
      writeFileSync(`${host.daemon.policies}/web.toml`, rule);
      const setForward = await startWithClock(host);
      await create(host, web);
      await assertReaches({ host, from: web }, outside4);
      setForward(1_200);
      await until('the rule has ended', async () => {
        const { stdout } = await host.inNetVm(['vifwatch', 'export']);
        return /chain out-web-/.test(stdout) && !/chain out-web-[^}]*goto may_leave/.test(stdout);
      });
      await assertDoesNotReach({ host, from: web }, outside4);
    },
    { daemon: false },
  ));

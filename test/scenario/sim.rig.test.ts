/** Every scenario on the fast rig, with either xenstored. */
import { afterEach, beforeEach, describe, test } from 'vitest';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import { scenarios } from './scenarios.ts';

describe.each(['xenstored', 'oxenstored'] as const)('with %s', (store) => {
  let host: SimHost;
  beforeEach(async () => {
    host = await startSimHost({ store });
    await host.startDaemon();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(host.daemon.log());
    await host.close();
  });
  test.each(Object.entries(scenarios))('%s', async (_name, scenario) => {
    await scenario(host);
  });
});

/**
 * Runs every scenario on the fast rig; scenarios that depend on xenstore run with both kinds of xenstored.
 */
import { afterAll, afterEach, describe, test } from 'vitest';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import { scenarios, storeScenarios } from './scenarios.ts';

describe.each([
  { store: 'xenstored', chosen: scenarios },
  { store: 'oxenstored', chosen: storeScenarios },
] as const)('with $store', ({ store, chosen }) => {
  let host: SimHost | undefined;
  const start = async (): Promise<SimHost> => {
    host = await startSimHost({ store });
    await host.startDaemon();
    return host;
  };
  const close = async (): Promise<void> => {
    await host?.close();
    host = undefined;
  };
  // A failed scenario may leave VMs or rules behind, so the next one gets a new host.
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    console.error(host?.daemon.log());
    await close();
  });
  afterAll(close);
  test.each(Object.entries(chosen))('%s', async (_name, scenario) => {
    await scenario(host ?? (await start()));
  });
});

/** Helpers for the tests of the rig itself. */
import { filter, firstValueFrom } from 'rxjs';
import { expect, onTestFinished } from 'vitest';
import type { ActorEvent } from './actors.ts';
import { type SimHost, type SimHostOptions, startSimHost } from './sim-host.ts';

export const vif = { mac: '00:16:3e:05:00:07', ip: '10.0.5.7 fd00:5::7' };
/** The backend directory of the first guest's first vif. */
export const backend = '/local/domain/2/backend/vif/3/0';

/** Starts a host that ends with the test; a concurrent test must pass its own `onTestFinished`. */
export const startHost = async (
  options: SimHostOptions,
  whenFinished: (end: () => Promise<void>) => void = onTestFinished,
): Promise<SimHost> => {
  const host = await startSimHost(options);
  whenFinished(host.close);
  return host;
};

/** Runs a command in net-vm that must succeed. */
export const inNetVm = async (host: SimHost, command: string): Promise<string> => {
  const { status, stdout, stderr } = await host.inNetVm(command.split(' '));
  expect(status, `${command}: ${stderr}`).toBe(0);
  return stdout;
};

/** Waits for netback's or a guest's next event of this kind. */
export const next = (host: SimHost, what: ActorEvent['what']): Promise<ActorEvent> =>
  firstValueFrom(host.actors.events.pipe(filter((event) => event.what === what)));

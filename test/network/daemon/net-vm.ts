/** A fast rig with the daemon running, and helpers that many tests share. */
import assert from 'node:assert/strict';
import type { Status, VifStatus } from '../../../src/network/status/status.ts';
import { gateway4, outside4 } from '../../rig/host.ts';
import { type SimHost, type SimHostOptions, startSimHost } from '../../rig/sim/sim-host.ts';
import { type VifNodes, type VifPlace, writeVif } from '../../rig/sim/toolstack.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { until } from '../../support/until.ts';

/** Runs the body on its own rig; the daemon runs unless `daemon` is false. */
export const withNetVm = async (
  body: (host: SimHost) => Promise<void>,
  { daemon = true, ...options }: Partial<SimHostOptions> & { readonly daemon?: boolean } = {},
): Promise<void> => {
  const host = await startSimHost({ store: 'xenstored', ...options });
  try {
    if (daemon) await host.startDaemon();
    await body(host);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${logOf(host)}`, {
      cause: error,
    });
  } finally {
    await host.close();
  }
};

const logOf = (host: SimHost): string => {
  try {
    return host.daemon.log();
  } catch {
    return 'the daemon was never started';
  }
};

/** The document of `vifwatch status --json`. */
export const status = async (host: SimHost): Promise<Status> => {
  const { stdout, stderr } = await host.inNetVm(['vifwatch', 'status', '--json']);
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout);
};

/** A guest's vif with its backend in net-vm, which is domain 2 in every fast rig. */
export const place = (guest: number, devid = 0): VifPlace => ({ guest, devid, backend: 2 });

/** The xenstore path of a vif's backend directory. */
export const backend = (guest: number, devid = 0): string =>
  `/local/domain/2/backend/vif/${guest}/${devid}`;

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** The MAC that `attachRaw` gives a vif; it differs for each guest and devid. */
export const macOf = (guest: number, devid = 0): string =>
  `00:16:3e:07:${hex(guest)}:${hex(devid)}`;

/**
 * dom0 attaches a vif with these backend nodes beside the usual ones; an undefined value leaves a node out.
 * Resolves once netback has taken the vif up: any state but 1, since state 2 may be over before a look.
 */
export const attachRaw = async (
  host: SimHost,
  guest: number,
  nodes: VifNodes,
  devid = 0,
): Promise<void> => {
  const usual = { mac: macOf(guest, devid), ip: `10.0.5.${guest}${devid}` };
  await writeVif(host.dom0, place(guest, devid), { ...usual, ...nodes });
  await until(`netback has taken up vif ${guest}/${devid}`, async () => {
    const state = await host.read(`${backend(guest, devid)}/state`);
    return state !== undefined && state !== '1';
  });
};

/**
 * Waits until netback publishes state 4, which it does after the daemon has written `connected`. A wait for
 * `connected` alone would end too early: netback would overwrite the state 5 of a detach in between.
 */
export const becomesConnected = (host: SimHost, guest: number, devid = 0): Promise<void> =>
  until(`vif ${guest}/${devid} is connected`, async () => {
    return (await host.read(`${backend(guest, devid)}/state`)) === '4';
  });

/** Waits for the error code in xenstore; returns the vif's entry in the status. */
export const becomesRefused = async (
  host: SimHost,
  guest: number,
  code: string,
  devid = 0,
): Promise<VifStatus | undefined> => {
  await until(`vif ${guest}/${devid} is refused with ${code}`, async () => {
    return (await host.read(`${backend(guest, devid)}/hotplug-error`)) === `vifwatch: ${code}`;
  });
  assert.equal(await host.read(`${backend(guest, devid)}/hotplug-status`), 'error');
  const { vifs } = await status(host);
  return vifs.find((vif) => vif.domid === guest && vif.devid === devid);
};

/** Whether a link of net-vm is administratively up; undefined if the link does not exist. */
export const isUp = async (host: SimHost, link: string): Promise<boolean | undefined> => {
  const { stdout } = await host.inNetVm(['ip', '-o', 'link', 'show']);
  const line = stdout
    .split('\n')
    .find((line) => line.includes(` ${link}@`) || line.includes(` ${link}:`));
  return line === undefined ? undefined : /[<,]UP[,>]/.test(line);
};

/** The daemon's whole state in net-vm's kernel, as one canonical text. */
export const kernelState = async (host: SimHost): Promise<string> => {
  const ask = async (argv: readonly string[]): Promise<string> => {
    const { stdout, stderr, status: exit } = await host.inNetVm(argv);
    assert.equal(exit, 0, stderr);
    // The guest decides whether a link has a carrier.
    const lines = stdout.replaceAll(' linkdown', '').split('\n');
    return lines.sort().join('\n');
  };
  const answers = [
    await ask(['vifwatch', 'export']),
    await ask(['ip', 'route', 'show', 'table', 'all', 'proto', '86']),
    await ask(['ip', 'neigh', 'show', 'nud', 'permanent']),
    await ask(['ip', 'neigh', 'show', 'proxy']),
  ];
  const links = (await ask(['ip', '-o', 'link', 'show', 'up'])).match(/ vif[^@:]+/g) ?? [];
  return [...answers, ...links.sort()].join('\n');
};

export const guestVm = { name: 'guest' };

/** Serves one VM, which reaches the gateway and the world; resolves with its domid. */
export const serveOne = async (host: SimHost): Promise<number> => {
  const guest = await host.create(guestVm);
  await attachRaw(host, guest, {});
  await becomesConnected(host, guest);
  await assertReaches({ host, from: guestVm }, gateway4, outside4);
  return guest;
};

/** `vifwatch peers`: shows the links of this VM's agent. */
import type { PeersDocument } from '../../ipc/agent/peer-status.ts';
import { plainTable } from '../../text/plain-table.ts';
import { noneRuns } from '../commands/exit-status.ts';
import { printError } from '../print-error.ts';
import { askPeers } from './agent-link.ts';

const row = (peer: PeersDocument['peers'][number]): string[] => [
  peer.name,
  `${peer.domid ?? '-'}`,
  peer.role,
  peer.state,
  peer.route ?? '-',
  peer.since.replace('T', ' ').slice(0, 19),
  `${peer.streams}`,
  `${peer.bytesIn}`,
  `${peer.bytesOut}`,
  peer.rttMs === null ? '-' : peer.rttMs.toFixed(2),
  `${peer.reconnects}`,
  peer.trouble ?? peer.path ?? '',
];

const head = [
  'VM',
  'DOMID',
  'ROLE',
  'STATE',
  'ROUTE',
  'SINCE (UTC)',
  'CALLS',
  'IN',
  'OUT',
  'RTT MS',
  'RECONNECTS',
  '',
];

const textOf = ({ peers: found, relayed }: PeersDocument): string => {
  const table = found.length === 0 ? 'no peers' : plainTable(head, found.map(row));
  return `${table}\n${relayed === null ? '' : `relayed calls under way: ${relayed}\n`}`;
};

/** Prints the links and returns the exit status: 0 if all are up, 1 if not, 69 if no agent runs. */
export const peers = async ({
  runtime,
  json,
}: {
  readonly runtime: string;
  readonly json?: true;
}): Promise<number> => {
  let document: PeersDocument;
  try {
    document = await askPeers(runtime);
  } catch (error) {
    printError((error as Error).message);
    return noneRuns;
  }
  const { peers: found } = document;
  process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : textOf(document));
  return found.every(({ state }) => state === 'up') ? 0 : 1;
};

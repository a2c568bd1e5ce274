/** The status document as text for a terminal. */
import Table from 'cli-table3';
import type { Status, VifStatus } from './status.ts';

/** Columns and nothing else: greppable, and no wider than it must be. */
const plain = {
  chars: Object.fromEntries(
    [
      ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
      ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
    ].map((part) => [part, '']),
  ),
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
};

const table = (head: string[], rows: string[][]): string => {
  const lines = new Table({ ...plain, head });
  lines.push(...rows);
  return lines.toString().replaceAll(/ +$/gm, '');
};

const vifRow = (vif: VifStatus): string[] => [
  `${vif.domid}/${vif.devid}`,
  vif.name ?? '-',
  vif.link,
  vif.mac ?? '-',
  vif.addresses.join(' ') || '-',
  vif.phase,
  vif.since?.replace('T', ' ').slice(0, 19) ?? '-',
  vif.error === null ? '' : `${vif.error.code}: ${vif.error.text}`,
];

const claimLine = ({ link, claim }: VifStatus): string[] =>
  claim === null
    ? []
    : [`${link}: its guest claims "${claim.text}" (${claim.count}), which is ignored`];

const dropsLine = (drops: Status['drops']): string[] => {
  const counts = Object.entries(drops ?? {}).map(([name, packets]) => `${name} ${packets}`);
  return counts.length === 0 ? [] : ['', `packets dropped: ${counts.join(', ')}`];
};

const list = (items: readonly string[]): string => items.join(' ') || 'none';

/** The document as text for a terminal. */
export const statusText = (status: Status): string => {
  const { daemon, panic, uplinks, gateways, vifs, drops, routes } = status;
  const running =
    daemon === null
      ? 'vifwatch is NOT RUNNING: this is what xenstore and the kernel say'
      : `vifwatch ${daemon.version} runs as ${daemon.pid} since ${daemon.since.replace('T', ' ').slice(0, 19)} UTC`;
  const head = ['VIF', 'VM', 'LINK', 'MAC', 'ADDRESSES', 'PHASE', 'SINCE (UTC)', ''];
  return [
    running,
    ...(panic ? ['PANIC: nothing comes from or goes to any vif, until "vifwatch resume"'] : []),
    ...(daemon?.trouble ? [`TROUBLE, tried again and again: ${daemon.trouble}`] : []),
    `uplinks: ${list(uplinks)}   gateways: ${list(gateways)}`,
    '',
    vifs.length === 0 ? 'no vifs' : table(head, vifs.map(vifRow)),
    ...vifs.flatMap(claimLine),
    ...dropsLine(drops),
    '',
    routes.length === 0
      ? 'no routes'
      : table(
          ['ROUTE', 'LINK', 'VIA'],
          routes.map(({ prefix, link, via }) => [prefix, link, via ?? '']),
        ),
    '',
  ].join('\n');
};

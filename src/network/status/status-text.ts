/** The status document as text for a terminal. */
import { plainTable } from '../../text/plain-table.ts';
import { claimCondition, type Status, type VifStatus } from './status.ts';

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

/** Only the daemon counts claims: without it, the count is 0 and is not shown. */
const claimLine = ({ link, claim }: VifStatus): string[] => {
  if (claim === null) return [];
  const count = claim.count === 0 ? '' : ` (claims so far: ${claim.count})`;
  return [`${link}: the guest claims "${claim.text}"${count}; ${claimCondition}`];
};

const refusedLine = ({ link, refused }: VifStatus): string[] =>
  refused === null || refused === 0
    ? []
    : [`${link}: ${refused} packets were more than its share, and dropped`];

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
      ? 'vifwatch is NOT RUNNING: this status is from xenstore and the kernel'
      : `vifwatch ${daemon.version} runs as ${daemon.pid} since ${daemon.since.replace('T', ' ').slice(0, 19)} UTC`;
  const head = ['VIF', 'VM', 'LINK', 'MAC', 'ADDRESSES', 'PHASE', 'SINCE (UTC)', ''];
  return [
    running,
    ...(panic
      ? ['PANIC: all packets from and to all vifs are dropped until "vifwatch resume"']
      : []),
    ...(daemon?.notices ?? []).map((notice) => `NOTICE: ${notice}`),
    ...(daemon?.trouble ? [`TROUBLE, retrying: ${daemon.trouble}`] : []),
    `uplinks: ${list(uplinks)}   gateways: ${list(gateways)}`,
    '',
    vifs.length === 0 ? 'no vifs' : plainTable(head, vifs.map(vifRow)),
    ...vifs.flatMap(claimLine),
    ...vifs.flatMap(refusedLine),
    ...dropsLine(drops),
    '',
    routes.length === 0
      ? 'no routes'
      : plainTable(
          ['ROUTE', 'LINK', 'VIA'],
          routes.map(({ prefix, link, via }) => [prefix, link, via ?? '']),
        ),
    '',
  ].join('\n');
};

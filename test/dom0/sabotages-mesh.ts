/** Sabotage of the mesh: offer directories, domain-map entries and VMs. No entry affects another one. */
import type { Dom0 } from './dom0.ts';
import { domidsOf, type Sabotage } from './sabotage.ts';

/** The domid of a domain that does not run. */
const absent = 99;

const domains = '$XL_STATE/domains';

/** The line that makes a domain which only xl lists, with this name and state. */
const domain = (domid: number, name: string, state: string): string =>
  `mkdir ${domains}/${domid}; echo '${name}' >${domains}/${domid}/name; echo '${state}' >${domains}/${domid}/state`;

const forget = (...domids: readonly number[]): string =>
  domids.map((domid) => `rm -r ${domains}/${domid}`).join('; ');

const places = (dom0: Dom0): readonly Sabotage[] => {
  const [net, sa, mgmt, workload] = domidsOf(dom0);
  const place = `/local/domain/${sa}/ipc/direct/${workload}`;
  return [
    {
      codes: ['RENDEZVOUS_PERMISSIONS'],
      what: /\/ipc\/direct\/\d+ has the permissions b\d+ r\d+, not n\d+ r\d+$/,
      dom0: `xenstore-chmod ${place} b${sa} r${workload}`,
      mend: `xenstore-chmod ${place} n${sa} r${workload}`,
    },
    {
      codes: ['RENDEZVOUS_PERMISSIONS'],
      what: /\/ipc\/direct\/\d+\/session has the permissions n\d+ r\d+ r\d+, not/,
      guest: [sa, `xenstore-chmod ${place}/session n${sa} r${workload} r${mgmt}`],
      mend: `xenstore-chmod ${place}/session n${sa} r${workload}`,
    },
    {
      codes: ['RENDEZVOUS_PERMISSIONS'],
      what: /\/data\/vifwatch\/direct\/\d+\/session has the permissions r\d+, not/,
      guest: [sa, `xenstore-chmod data/vifwatch/direct/${workload}/session r${sa}`],
      mend: `xenstore-chmod /local/domain/${sa}/data/vifwatch/direct/${workload}/session n${sa} r${workload}`,
    },
    {
      codes: ['RENDEZVOUS_PERMISSIONS'],
      what: /\/data\/vifwatch\/knock\/\d+ has the permissions n\d+ b\d+, not/,
      guest: [workload, `xenstore-chmod data/vifwatch/knock/${sa} n${workload} b${sa}`],
      mend: `xenstore-chmod /local/domain/${workload}/data/vifwatch/knock/${sa} n${workload} r${sa}`,
    },
    {
      codes: [...Array(5).fill('RENDEZVOUS_PERMISSIONS'), 'FINDINGS_MANY'],
      what: /^\/local\S+\/knock\/x\d\/x has the permissions n\d+, not n\d+ rx\d$|^3 more nodes that mgmt-vm \(domain \d+\) wrote/,
      guest: [
        mgmt,
        'for k in 1 2 3 4 5 6 7 8; do xenstore-write data/vifwatch/knock/x$k/x 1; done',
      ],
      mend: `xenstore-rm /local/domain/${mgmt}/data/vifwatch`,
    },
    {
      codes: ['RENDEZVOUS_STALE'],
      what: /\/ipc\/direct\/99 is for domain 99, which does not run$/,
      dom0: `xenstore-write /local/domain/${sa}/ipc/direct/${absent} ''; xenstore-chmod /local/domain/${sa}/ipc/direct/${absent} n${sa} r${absent}`,
      mend: `xenstore-rm /local/domain/${sa}/ipc/direct/${absent}`,
    },
    {
      codes: ['RENDEZVOUS_FOREIGN'],
      what: /is for sa-vm \(domain \d+\) and mgmt-vm \(domain \d+\), which are not a pair of the mesh$/,
      dom0: `xenstore-write /local/domain/${sa}/ipc/direct/${mgmt} ''; xenstore-chmod /local/domain/${sa}/ipc/direct/${mgmt} n${sa} r${mgmt}`,
      mend: `xenstore-rm /local/domain/${sa}/ipc/direct/${mgmt}`,
    },
    {
      codes: ['RENDEZVOUS_STALE'],
      what: /\/ipc\/direct\/\d+ is in domain 99, which does not run$/,
      dom0: `xenstore-write /local/domain/${absent}/ipc/direct/${sa} ''`,
      mend: `xenstore-rm /local/domain/${absent}`,
    },
    {
      codes: ['RENDEZVOUS_MISSING'],
      what: /^\/local\S+\/ipc\/direct\/\d+ is missing, for net-vm \(domain \d+\) and mgmt-vm \(domain \d+\)$/,
      guest: [net, `xenstore-rm ipc/direct/${mgmt}`],
      mend: `xenstore-write /local/domain/${net}/ipc/direct/${mgmt} ''; xenstore-chmod /local/domain/${net}/ipc/direct/${mgmt} n${net} r${mgmt}`,
    },
    ...['ipc', 'ipc/direct'].map((path) => ({
      codes: ['RENDEZVOUS_PERMISSIONS'],
      what: new RegExp(`/\\d+/${path} has the permissions n0 b\\d+, not n0 r\\d+$`),
      dom0: `xenstore-chmod /local/domain/${sa}/${path} n0 b${workload}`,
      mend: `xenstore-chmod /local/domain/${sa}/${path} n0 r${sa}`,
    })),
  ];
};

const names = (dom0: Dom0): readonly Sabotage[] => {
  const [net, sa, mgmt, workload] = domidsOf(dom0);
  return [
    {
      codes: ['MAP_STALE'],
      what: /^\/ipc\/domain-map\/mgmt-vm is 99, but mgmt-vm is domain \d+$/,
      dom0: `xenstore-write /ipc/domain-map/mgmt-vm ${absent}`,
      mend: `xenstore-write /ipc/domain-map/mgmt-vm ${mgmt}`,
    },
    {
      codes: ['MAP_MISSING'],
      what: /^workload-vm \(domain \d+\) has no name/,
      dom0: 'xenstore-rm /ipc/domain-map/workload-vm',
      mend: `xenstore-write /ipc/domain-map/workload-vm ${workload}; xenstore-chmod /ipc/domain-map/workload-vm n0 r${net} r${mgmt} r${sa}`,
    },
    {
      codes: ['MAP_AMBIGUOUS', 'MAP_STALE'],
      what: /^domain \d+ has the names (sa-vm and alias|alias and sa-vm)$|^\/ipc\/domain-map\/alias is/,
      dom0: `xenstore-write /ipc/domain-map/alias ${sa}`,
      mend: 'xenstore-rm /ipc/domain-map/alias',
    },
    {
      codes: ['MAP_PERMISSIONS'],
      what: /^\/ipc\/domain-map\/net-vm has the permissions r0, not n0 r\d+ r\d+$/,
      dom0: 'xenstore-chmod /ipc/domain-map/net-vm r0',
      mend: `xenstore-chmod /ipc/domain-map/net-vm n0 r${workload} r${mgmt}`,
    },
    {
      codes: ['MAP_PERMISSIONS'],
      what: /^\/ipc\/domain-map\/sa-vm has the permissions n0 r\d+ b\d+, not n0 r\d+ r\d+$/,
      dom0: `xenstore-chmod /ipc/domain-map/sa-vm n0 r${net} b${workload}`,
      mend: `xenstore-chmod /ipc/domain-map/sa-vm n0 r${net} r${workload}`,
    },
    {
      codes: ['MAP_PERMISSIONS'],
      what: /^\/ipc\/domain-map\/mgmt-vm has the permissions n0 r\d+ r\d+, not n0 r\d+$/,
      dom0: `xenstore-chmod /ipc/domain-map/mgmt-vm n0 r${net} r${workload}`,
      mend: `xenstore-chmod /ipc/domain-map/mgmt-vm n0 r${net}`,
    },
    {
      codes: ['MAP_PERMISSIONS', 'MAP_PERMISSIONS'],
      what: /^\/ipc(\/domain-map)? has the permissions (b0|n0), not n0/,
      dom0: 'xenstore-chmod /ipc b0; xenstore-chmod /ipc/domain-map n0',
      mend: `xenstore-chmod /ipc n0; xenstore-chmod /ipc/domain-map n0 r${net}`,
    },
  ];
};

const machines = (dom0: Dom0): readonly Sabotage[] => {
  const [net, sa, mgmt] = domidsOf(dom0);
  return [
    {
      codes: ['VM_MISSING'],
      what: /^mgmt-vm \(domain \d+\) does not run: its state is --p---$/,
      dom0: `echo --p--- >${domains}/${mgmt}/state`,
      mend: `echo -b---- >${domains}/${mgmt}/state`,
    },
    {
      codes: ['POLICY_DIFFERS'],
      what: /^sa-vm \(domain \d+\) has the policy 77, but the mesh has 0123/,
      dom0: `echo quiet ipc_policy=77 >${domains}/${sa}/extra`,
      mend: `echo ipc_policy=0123456789abcdef0123456789abcdef >${domains}/${sa}/extra`,
    },
    {
      codes: ['POLICY_DIFFERS'],
      what: /^mgmt-vm \(domain \d+\) has the policy 0a, but the mesh has none$/,
      dom0: `echo ipc_policy=0a >${domains}/${mgmt}/extra`,
      mend: `: >${domains}/${mgmt}/extra`,
    },
    {
      codes: ['NET_VM_NOT_READY'],
      what: /^the vifwatch of net-vm \(domain \d+\) does not serve/,
      guest: [net, 'xenstore-rm data/vifwatch/ready'],
      mend: `xenstore-write /local/domain/${net}/data/vifwatch/ready ready`,
    },
    {
      codes: ['VM_FOREIGN'],
      what: /^stranger from afar \(domain \d+\) is not in the mesh$/,
      dom0: `echo 'name = "stranger from afar"' >$XL_STATE/stranger; ${dom0.tools}/xl create -p -q $XL_STATE/stranger; ${dom0.tools}/xl unpause "stranger from afar"`,
      mend: `${dom0.tools}/xl destroy "stranger from afar"`,
    },
    {
      codes: [],
      what: /^$/,
      // The device model of an HVM guest, and xenstored in a domain.
      dom0: `${domain(77, 'sa-vm-dm', '-b----')}; ${domain(78, 'Xenstore', '-b----')}
        xenstore-write /local/domain/77/target ${sa} /tool/xenstored/domid 78`,
      mend: `xenstore-rm /local/domain/77; xenstore-rm /tool/xenstored; ${forget(77, 78)}`,
    },
    {
      codes: ['VM_FOREIGN'],
      what: /^sa-vm-dm \(domain 79\) is not in the mesh$/,
      dom0: `${domain(79, 'sa-vm-dm', '-b----')}; xenstore-write /local/domain/79/target ${mgmt}`,
      mend: `xenstore-rm /local/domain/79; ${forget(79)}`,
    },
    {
      codes: ['VM_FOREIGN'],
      what: /^Xenstore \(domain 80\) is not in the mesh$/,
      dom0: domain(80, 'Xenstore', '-b----'),
      mend: forget(80),
    },
    {
      codes: ['VM_DYING'],
      what: /^domain 81 has ended, but another domain still maps its memory$/,
      // The domain's directory in xenstore has gone, so xl lists no name.
      dom0: domain(81, '(null)', '--ps-d'),
      mend: forget(81),
    },
    {
      codes: ['VM_AMBIGUOUS'],
      what: /^sa-vm \(domain 82\) has the same name as domain \d+$/,
      dom0: domain(82, 'sa-vm', '-b----'),
      mend: forget(82),
    },
    {
      codes: ['VM_FOREIGN'],
      what: /^\(null\) \(domain 83\) is not in the mesh$/,
      dom0: domain(83, '', '-b----'),
      mend: forget(83),
    },
  ];
};

export const sabotagesOfMesh = (dom0: Dom0): readonly Sabotage[] => [
  ...places(dom0),
  ...names(dom0),
  ...machines(dom0),
];

/** The known faults of the product: from each one's id to the behaviour that is right. Each is a test that is expected to fail. */

export const known = {
  f1: "A policy cuts a VM's forbidden flows within the promised time, whatever protocols its other flows have.",
  f1b: 'A cut that fails delays nothing of another VM.',
  n1: "While conntrack fails for one VM, another VM's new policy is in force at once.",
  f5: 'A daemon that was killed between the new rules and the cut cuts once it runs again.',
  f4: 'All live flows are judged against the configuration in force, also those through a removed forward.',
  x1: 'SIGTERM ends the daemon within seconds at any moment of its start.',
  f2: 'An ICMP error passes only from a VM that is an endpoint of the flow which the error quotes.',
  'uplink-leak': 'A flow never leaves by an interface that is not an uplink.',
  f6: "A rule about a VM holds for that VM's stubdomain, too.",
  f15: 'A policy stays in force while its file is replaced.',
  f3a: 'Fragments of one VM delay no datagram of another VM.',
  f3b: "Connections of one VM take nothing of another VM's share of the connection table.",
  f8: 'A guest that changes its claims without end has at most one line a second logged.',
  f8agent: 'A denied VM that calls without end has at most one line a second logged.',
  f9: "A guest's claims are read within a few milliseconds, however long they are.",
  f11: 'A VM that is denied everything takes at most a tenth of a processor from an agent.',
  f10: 'A service that stops its own processes does not stop the agent.',
  f12: 'The daemon and the agent start, whatever socket names other users hold.',
  f13: 'The daemon runs, however many names /ipc/domain-map has.',
  forwarding:
    'Forwarding that another program has switched off is restored within a second, or reported.',
  'shadowing-routes': 'Foreign routes, addresses and rules about a vif are undone, or reported.',
  'arp-ignore': 'The gateway answers under every arp_ignore, or the setting is reported.',
  'ipv6-off': 'Where IPv6 is switched off, IPv4 works, and nobody is blamed.',
  'nft-upgrade': 'Another style of JSON from nft disturbs no vif.',
  'arp-probe':
    'A guest that probes its own address or runs a DHCP client is not counted as a spoofer.',
  'expire-clock': 'A rule ends when the wall clock says so.',
  'dns-rotation': 'Each answer for a name is good for its own TTL.',
  'call-stdin': 'The local program of a call can open /dev/stdin and /dev/stdout.',
  descriptors: 'A service has the limits with which the agent was started.',
  'recreate-gentle': 'A guest without PV control is asked by ACPI before it is destroyed.',
  'net-vm-anew': "A VM with a vif of the running net-vm is served, whatever the vif's number.",
  'mesh-hvm': 'The mesh check names each guest that never sees its kernel command line.',
  hairpin: 'A VM reaches a port that net-vm forwards, as the outside does.',
} as const;

export type FaultId = keyof typeof known;

/** The name of a test that shows a fault. */
export const fault = (id: FaultId, name: string): string => `${id}: ${name}`;

import { expect, test } from 'vitest';
import { keyOfElement, type SetElement, setFamilies } from '../../../src/network/state/element.ts';
import { elementJson, parseElement } from '../../../src/network/text/element-json.ts';
import { linkNameOf } from '../../support/link-name.ts';

const link = linkNameOf('vif3.0');
const mac = '00:16:3e:00:03:00';
const forward = { proto: 'tcp', port: 8080 };
const network = { prefix: { addr: '10.9.0.0', len: 24 } };
const network6 = { prefix: { addr: 'fd00:9::', len: 64 } };

const cases: readonly (readonly [SetElement, unknown, string])[] = [
  [{ set: 'vif', link }, link, 'vif vif3.0'],
  [{ set: 'uplink', link: linkNameOf('eth0') }, 'eth0', 'uplink eth0'],
  [{ set: 'mss_clamp', link: linkNameOf('eth0') }, 'eth0', 'mss_clamp eth0'],
  [{ set: 'masquerading', link: linkNameOf('eth0') }, 'eth0', 'masquerading eth0'],
  [{ set: 'mac', link, mac }, { concat: [link, mac] }, `mac vif3.0 . ${mac}`],
  [{ set: 'sender_mac', link, mac }, { concat: [link, mac] }, `sender_mac vif3.0 . ${mac}`],
  [
    { set: 'source4', link, mac, prefix: '10.0.5.3' },
    { concat: [link, mac, '10.0.5.3'] },
    `source4 vif3.0 . ${mac} . 10.0.5.3`,
  ],
  [
    { set: 'source6', link, mac, prefix: 'fd00:5::3' },
    { concat: [link, mac, 'fd00:5::3'] },
    `source6 vif3.0 . ${mac} . fd00:5::3`,
  ],
  [
    { set: 'sender', link, mac, prefix: '10.9.0.0/24' },
    { concat: [link, mac, network] },
    `sender vif3.0 . ${mac} . 10.9.0.0/24`,
  ],
  [
    { set: 'address4', link, prefix: '10.0.5.3' },
    { concat: [link, '10.0.5.3'] },
    'address4 vif3.0 . 10.0.5.3',
  ],
  [
    { set: 'address6', link, prefix: 'fd00:5::3' },
    { concat: [link, 'fd00:5::3'] },
    'address6 vif3.0 . fd00:5::3',
  ],
  [
    { set: 'network4', link, prefix: '10.9.0.0/24' },
    { concat: [link, network] },
    'network4 vif3.0 . 10.9.0.0/24',
  ],
  [
    { set: 'network6', link, prefix: 'fd00:9::/64' },
    { concat: [link, network6] },
    'network6 vif3.0 . fd00:9::/64',
  ],
  [{ set: 'live4', prefix: '10.0.5.3' }, '10.0.5.3', 'live4 10.0.5.3'],
  [{ set: 'live6', prefix: 'fd00:5::3' }, 'fd00:5::3', 'live6 fd00:5::3'],
  [{ set: 'vm_network4', prefix: '10.9.0.0/24' }, network, 'vm_network4 10.9.0.0/24'],
  [{ set: 'vm_network6', prefix: 'fd00:9::/64' }, network6, 'vm_network6 fd00:9::/64'],
  [{ set: 'gateway', address: '10.0.5.1' }, '10.0.5.1', 'gateway 10.0.5.1'],
  [{ set: 'out', link, chain: 'out-a' }, [link, { jump: { target: 'out-a' } }], 'out vif3.0'],
  [{ set: 'in', link, chain: 'in-a' }, [link, { jump: { target: 'in-a' } }], 'in vif3.0'],
  [
    { set: 'forward_address', ...forward, address: '10.0.5.3' },
    [{ concat: ['tcp', 8080] }, '10.0.5.3'],
    'forward_address tcp . 8080 . 10.0.5.3',
  ],
  [
    { set: 'forward_port', ...forward, toPort: 80 },
    [{ concat: ['tcp', 8080] }, 80],
    'forward_port tcp . 8080 . 80',
  ],
];

test.each(cases)('%j has its JSON and its key, and is read back', (element, json, key) => {
  expect(elementJson(element)).toEqual(json);
  expect(parseElement(element.set, json)).toEqual(element);
  expect(keyOfElement(element)).toBe(key);
});

test('the cases above have each set', () => {
  const sets = cases.map(([{ set }]) => set);
  expect(sets.sort()).toEqual(Object.keys(setFamilies).sort());
});

test('a verdict that vifwatch never writes has no chain, and its JSON is only the key', () => {
  const element = { set: 'out', link, chain: undefined } as const;
  expect(parseElement('out', [link, { accept: null }])).toEqual(element);
  expect(elementJson(element)).toBe(link);
});

test('an element of a set with another type is left out', () => {
  expect(parseElement('vif', { concat: [link, mac] })).toBeUndefined();
  expect(parseElement('mac', link)).toBeUndefined();
});

test.each<readonly [string, unknown, SetElement]>([
  ['set', { elem: { val: link, comment: 'x' } }, { set: 'vif', link }],
  [
    'concatenation',
    { elem: { val: { concat: [link, network] }, comment: 'x' } },
    { set: 'network4', link, prefix: '10.9.0.0/24' },
  ],
  [
    'map',
    [{ elem: { val: { concat: ['tcp', 8080] }, comment: 'x' } }, 80],
    { set: 'forward_port', ...forward, toPort: 80 },
  ],
])("another program's comment on an element of a %s is ignored", (_kind, listed, element) => {
  expect(parseElement(element.set, listed)).toEqual(element);
});

test("another program's range is read, and written back for its deletion", () => {
  const range = { range: ['10.0.5.3', '10.0.5.9'] };
  const prefix = '10.0.5.3-10.0.5.9';
  const own = { set: 'network4', link: linkNameOf('vif-3.0'), prefix } as const;
  const concat = { concat: ['vif-3.0', range] };
  expect(parseElement('vm_network4', range)).toEqual({ set: 'vm_network4', prefix });
  expect(elementJson({ set: 'vm_network4', prefix })).toEqual(range);
  expect(parseElement('network4', concat)).toEqual(own);
  expect(elementJson(own)).toEqual(concat);
});

test('an element with a field in an unknown form is refused', () => {
  expect(() => parseElement('live4', { '&': ['10.0.5.3', 7] })).toThrow(
    'nft listed {"&":["10.0.5.3",7]}',
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isProblem } from '../../../src/errors.ts';
import { backendNodes, interpret } from '../../../src/network/vif/backend-vif.ts';
import { domidOf } from '../../support/domid.ts';
import { backendVif } from '../store-fixture.ts';

test('a vif that dom0 writes is read with all its values', () => {
  const vif = backendVif(3, { ip: '10.0.5.103  fd00:5::103, 10.9.0.0/24', mtu: '1400' });
  expect(vif).toMatchObject({ key: '3/0', state: 2, online: true, hotplugStatus: '' });
  expect(vif.facts).toMatchObject({ mac: '00:16:3e:00:03:00', link: 'vif3.0', mtu: 1400 });
  expect(vif.given.map(({ text }) => text)).toEqual(['10.9.0.0/24', '10.0.5.103', 'fd00:5::103']);
});

describe('a bad value from an operator or a toolstack is one problem of that vif', () => {
  test.each([
    ['ADDRESS_INVALID', { ip: '10.0.5.300' }],
    ['ADDRESS_INVALID', { ip: '10.0.5.3 nonsense' }],
    ['ADDRESS_INVALID', { ip: '10.0.5.3/24' }],
    ['ADDRESS_INVALID', { ip: '\0\x01\xff' }],
    ['ADDRESS_INVALID', { ip: 'x'.repeat(2000) }],
    ['ADDRESS_RESERVED', { ip: '127.0.0.1' }],
    ['ADDRESS_RESERVED', { ip: '0.0.0.0/0' }],
    ['ADDRESS_RESERVED', { ip: '::ffff:10.0.5.3' }],
    ['MAC_INVALID', { mac: undefined }],
    ['MAC_INVALID', { mac: '00:16:3e' }],
    ['MAC_INVALID', { mac: '01:00:5e:00:00:01' }],
    ['MAC_INVALID', { mac: '00:00:00:00:00:00' }],
    ['MAC_INVALID', { mac: 'fe:ff:ff:ff:ff:ff' }],
    ['BACKEND_INVALID', { 'frontend-id': '4' }],
    ['BACKEND_INVALID', { 'frontend-id': undefined }],
    ['BACKEND_INVALID', { frontend: '/local/domain/4/device/vif/0' }],
    ['BACKEND_INVALID', { type: 'tap' }],
    ['BACKEND_INVALID', { mtu: '9' }],
    ['BACKEND_INVALID', { mtu: '1e3' }],
    ['LINK_NAME_INVALID', { vifname: 'eth0' }],
    ['LINK_NAME_INVALID', { vifname: 'vif' }],
    ['LINK_NAME_INVALID', { vifname: 'vif/../../x' }],
    ['LINK_NAME_INVALID', { vifname: 'vif-0123456789abc' }],
  ] as const)('%s: %j', (code, nodes) => {
    expect(backendVif(3, nodes).facts).toMatchObject({ code });
  });
});

test('vif_ioemu is served as a plain vif', () => {
  expect(isProblem(backendVif(3, { type: 'vif_ioemu' }).facts)).toBe(false);
});

test("a vifname within vif* becomes the link's name", () => {
  expect(backendVif(3, { vifname: 'vif-web' }).facts).toMatchObject({
    defaultLink: 'vif3.0',
    link: 'vif-web',
  });
});

describe("the frontend's address is only a claim", () => {
  test('a claim that agrees is not reported', () => {
    expect(backendVif(3, {}, ' 10.0.5.3 ').claim).toBeUndefined();
  });
  test('a claim that disagrees is reported, and the backend stays the only source', () => {
    const vif = backendVif(3, {}, '6.6.6.6');
    expect(vif.claim).toBe('6.6.6.6');
    expect(vif.given).toMatchObject([{ text: '10.0.5.3' }]);
  });
  test('a claim of more addresses than any guest has is not read', () => {
    const addresses = Array.from({ length: 33 }, (_, index) => `10.9.0.${index + 1}`);
    const frontend = (claim: readonly string[]) => {
      const { facts } = backendVif(3, { ip: undefined }, claim.join(' '));
      return isProblem(facts) ? undefined : facts.frontend.length;
    };
    expect(frontend(addresses.slice(1))).toBe(32);
    expect(frontend(addresses)).toBe(0);
    expect(backendVif(3, { ip: addresses.join(' ') }, addresses.join(',')).claim).toBeUndefined();
  });
  test('a claim of garbage is reported in printable form and harms nothing', () => {
    const vif = backendVif(3, {}, `\x1b[31m${'z'.repeat(1900)}`);
    expect(vif.claim).toMatch(/^\?\[31mz+…$/);
    expect(isProblem(vif.facts)).toBe(false);
  });
});

test('any bytes in any node give facts or a problem, never an exception', () => {
  const bytes = fc.string({ unit: 'binary', maxLength: 40 });
  const nodes = fc.record(Object.fromEntries(backendNodes.map((node) => [node, bytes])), {
    requiredKeys: [],
  });
  fc.assert(
    fc.property(nodes, fc.option(bytes, { nil: undefined }), (all, frontendIp) => {
      const { facts } = interpret({ domid: domidOf(3), devid: 0, nodes: all, frontendIp });
      if (isProblem(facts)) expect(facts.text).toMatch(/^[\x20-\x7e…]+$/);
    }),
    { numRuns: 2000 },
  );
});

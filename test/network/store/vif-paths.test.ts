/** The paths of vifs in xenstore, and what events about them mean. */
import { expect, test } from 'vitest';
import {
  backendRootOf,
  changeOf,
  frontendOf,
  isDevid,
  vifIdsOf,
} from '../../../src/network/store/vif-paths.ts';
import { domidOf } from '../../support/domid.ts';

const root = backendRootOf(domidOf(2));

test('names the directories of a vif', () => {
  expect(root).toBe('/local/domain/2/backend/vif');
  expect(vifIdsOf('12/3')).toEqual({ domid: 12, devid: 3 });
  expect(frontendOf('12/3')).toBe('/local/domain/12/device/vif/3');
});

test.each([
  [root, 'all'],
  [`${root}/3`, 'all'],
  ['/local/domain/2/backend', 'all'],
  [`${root}/03/0/state`, 'all'],
  [`${root}/3/x/state`, 'all'],
  [`${root}/3/0`, { key: '3/0', node: undefined }],
  [`${root}/3/0/hotplug-status`, { key: '3/0', node: 'hotplug-status' }],
  [`${root}/3/0/feature-sg`, undefined],
])('the event path %s means %j', (path, change) => {
  expect(changeOf(root, path)).toEqual(change);
});

test('only the usual form of a number is a devid', () => {
  expect(['0', '7', '999999999'].every(isDevid)).toBe(true);
  expect(['', '01', '-1', '1.0', '1e3', ' 1', '1000000000'].some(isDevid)).toBe(false);
});

import { expect, test } from 'vitest';
import { findGid, findUser } from '../../../src/ipc/services/passwd.ts';

const passwd = `root:x:0:0:root:/root:/bin/ash
# comment
broken
negative:x:-1:0::/:/bin/sh
huge:x:4294967295:0::/:/bin/sh
:x:5:5::/:/bin/sh
signer:x:1000:1001:Signs, things:/home/signer:/bin/sh
bare:x:1002:1002:::
signer:x:2000:2001:::
`;

test('the first user with the name or the number is found', () => {
  expect(findUser(passwd, 'signer')).toEqual({
    name: 'signer',
    uid: 1000,
    gid: 1001,
    home: '/home/signer',
    shell: '/bin/sh',
  });
  expect(findUser(passwd, 0)?.shell).toBe('/bin/ash');
  expect(findUser(passwd, 'bare')).toMatchObject({ home: '/', shell: '/bin/sh' });
});

test('a number is not a name, and malformed lines are ignored', () => {
  for (const name of ['1000', '', '# comment', 'broken', 'negative', 'huge', 'x']) {
    expect(findUser(passwd, name)).toBeUndefined();
  }
  expect(findUser(passwd, 5)).toBeUndefined();
});

test('the first valid line of a group gives its number; a group without a valid line has none', () => {
  const groups =
    'root:x:0:\nempty:x::\nnegative:x:-1:\nshort\ncalls:x::\ncalls:x:17:a,b\ncalls:x:18:\n';
  expect(findGid(groups, 'root')).toBe(0);
  expect(findGid(groups, 'calls')).toBe(17);
  for (const name of ['empty', 'negative', 'short', '', '17'])
    expect(findGid(groups, name)).toBeUndefined();
});

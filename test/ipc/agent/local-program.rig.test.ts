/** The local program of a call must be able to open /dev/stdin and /dev/stdout, as in a shell's pipeline. */
import { expect, test } from 'vitest';
import { makePair, startHost } from './vms.ts';

test('the local program opens /dev/stdin and /dev/stdout', async () => {
  const host = await startHost();
  const { server, client } = await makePair(host);
  await Promise.all([server.start(), client.start()]);
  const { stderr } = await client.vifwatch([
    ...['call', 'sa-vm', 'cat', '--', '/bin/sh', '-c'],
    'echo x >/dev/stdout; exec >&-; cat /dev/stdin >&2',
  ]);
  expect(stderr).toMatch(/^x$/m);
  expect(stderr).not.toContain('No such device or address');
});

/** The process of an executable service: its environment and streams, and what its caller gets. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { exited, openRig, type Rig, refused, untilReleased } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

test.concurrent.each([0, 1, 2, 77, 124, 125, 126, 127, 128, 137, 200, 254, 255])(
  'exit status %i is passed on unchanged',
  async (status) => {
    await rig.script(`status${status}`, `#!/bin/sh\nexit ${status}\n`);
    expect((await rig.run(`status${status}`)).ended).toEqual(exited(status));
  },
);

test.concurrent.each([
  ['HUP', 1],
  ['INT', 2],
  ['ABRT', 6],
  ['KILL', 9],
  ['SEGV', 11],
  ['PIPE', 13],
  ['TERM', 15],
])('a service that SIG%s kills has exit status 128 + %i', async (signal, number) => {
  await rig.script(`die${signal}`, `#!/bin/sh\nulimit -c 0\nkill -${signal} $$\nsleep 9\n`);
  expect((await rig.run(`die${signal}`)).ended).toEqual(exited(128 + number));
});

test.concurrent('argv holds only the argument, and no shell interprets it', async () => {
  await rig.script('argv', '#!/usr/bin/perl\nprint scalar(@ARGV), ":@ARGV";\n');
  expect((await rig.run('argv')).stdout).toBe('0:');
  expect((await rig.run('argv+one')).stdout).toBe('1:one');
  expect((await rig.run('argv+-rf')).stdout).toBe('1:-rf');
  expect((await rig.run('argv+--help+x')).stdout).toBe('1:--help+x');
});

test.concurrent('a damaged program is refused, and no shell runs it', async () => {
  await rig.script('damaged', '\x7fELF\necho ran\n');
  expect(await rig.run('damaged')).toMatchObject({ stdout: '', ended: refused('failed') });
  expect(rig.reports).toContainEqual(
    expect.stringMatching(/damaged cannot be started as root: ENOEXEC; .* another architecture$/),
  );
});

test.concurrent("the environment is made for the service and holds none of the agent's variables", async () => {
  await symlink('/usr/bin/env', join(rig.directory, 'env'));
  expect((await rig.run('env', '', { source: 'mgmt-vm' })).stdout.split('\n').sort()).toEqual([
    '',
    'HOME=/root',
    'LOGNAME=root',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'QREXEC_REMOTE_DOMAIN=mgmt-vm',
    'QREXEC_SERVICE_ARGUMENT=',
    'QREXEC_SERVICE_FULL_NAME=env+',
    'SHELL=/bin/bash',
    'USER=root',
  ]);
});

test.concurrent("the policy's user takes precedence over the file's, and that over the agent's own", async () => {
  await rig.script('who', '#!/bin/sh\nid -u; id -g; id -G; echo "$HOME $USER"\n');
  expect((await rig.run('who')).stdout).toBe('0\n0\n0\n/root root\n');
  await rig.config('who', 'user = "nobody"');
  expect((await rig.run('who')).stdout).toMatch(/^65534\n65534\n65534\n\/\S* nobody\n$/);
  expect((await rig.run('who', '', { user: 'daemon' })).stdout).toMatch(
    /^1\n1\n1\n\/usr\/sbin daemon\n$/,
  );
  expect((await rig.run('who', '', { user: 'no-such-user' })).ended).toMatchObject(
    refused('failed'),
  );
  expect(rig.reports).toContainEqual(
    expect.stringContaining('/etc/passwd has no user "no-such-user"'),
  );
});

test.concurrent('the process leads its own session and group, runs in /, and has default signals', async () => {
  await rig.script(
    'self',
    `#!/usr/bin/perl
open F, '/proc/self/stat'; my @f = split ' ', <F>;
my $leads = $f[4] == $$ && $f[5] == $$;
print "$leads $f[6] ", readlink('/proc/self/cwd'), "\n";
`,
  );
  expect((await rig.run('self')).stdout).toBe('1 0 /\n');
  await rig.script('signals', '#!/bin/sh\nexec grep -E "Sig(Blk|Ign)" /proc/self/status\n');
  expect((await rig.run('signals')).stdout).toBe(
    'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n',
  );
});

test.concurrent('stdout and stderr are separate streams, and each ends on its own', async () => {
  await rig.script(
    'both',
    '#!/bin/sh\necho out; echo err >&2; exec >&-; read line; echo late >&2\n',
  );
  const call = rig.call('both');
  await until('stdout has ended', () => call.stdout.readableEnded);
  expect(call.stderr.readableEnded).toBe(false);
  call.stdin.end('\n');
  expect(await call.ended).toEqual(exited(0));
  expect([call.said(), call.saidOnStderr()]).toEqual(['out\n', 'err\nlate\n']);
});

test.concurrent('the end of input is passed on, and output can still follow', async () => {
  await rig.script('count', '#!/usr/bin/perl\nmy $n = 0; $n += length while <STDIN>; print $n;\n');
  const call = rig.call('count');
  call.stdin.write('x'.repeat(100_000));
  call.stdin.write('y');
  call.stdin.end();
  expect(await call.ended).toEqual(exited(0));
  expect(call.said()).toBe('100001');
});

test.concurrent('a service may close its input: the sender is told to stop', async () => {
  await rig.script('deaf', `#!/bin/sh\nexec <&-\necho deaf\n${untilReleased}echo done\n`);
  const call = rig.call('deaf');
  await until('the service has closed its input', () => call.said() !== '');
  call.stdin.write('x'.repeat(1000));
  await until('the sender is told to stop', () => call.stdin.destroyed);
  await rig.release('deaf');
  expect(await call.ended).toEqual(exited(0));
  expect(call.said()).toBe('deaf\ndone\n');
});

test.concurrent('an input that is still open when the service has ended is closed', async () => {
  await rig.script('brief', '#!/bin/sh\necho brief\n');
  const call = rig.call('brief');
  expect(await call.ended).toEqual(exited(0));
  await until('the sender is told to stop', () => call.stdin.destroyed);
});

test.concurrent('a caller that closes stdout causes SIGPIPE in the service, and stderr goes on', async () => {
  await rig.script(
    'yes',
    "#!/usr/bin/perl\n$| = 1; $SIG{PIPE} = sub { print STDERR 'pipe'; exit 3 };\nprint 'y' while 1;\n",
  );
  const call = rig.call('yes');
  await until('the first service writes', () => call.said() !== '');
  call.stdout.destroy();
  expect(await call.ended).toEqual(exited(3));
  expect(call.saidOnStderr()).toBe('pipe');
  await rig.script('dies', '#!/usr/bin/perl\n$| = 1; print "y" while 1;\n');
  const other = rig.call('dies');
  await until('the second service writes', () => other.said() !== '');
  other.stdout.destroy();
  expect(await other.ended).toEqual(exited(141));
});

test.concurrent('a caller that closes stderr does not affect stdout', async () => {
  await rig.script(
    'chatty',
    '#!/bin/sh\ntrap "" PIPE\necho one\nread line\necho lost >&2\necho two\n',
  );
  const call = rig.call('chatty');
  await until('the first line arrives', () => call.said() === 'one\n');
  call.stderr.destroy();
  call.stdin.end('\n');
  expect((await call.ended).kind).toBe('exited');
  expect(call.said()).toBe('one\ntwo\n');
});

test.concurrent('the end of stderr is passed on while stdout goes on', async () => {
  await rig.script('mute', '#!/bin/sh\nexec 2>&-\nread line\necho "$line"\n');
  const call = rig.call('mute');
  await until('stderr has ended', () => call.stderr.readableEnded);
  call.stdin.end('still here\n');
  expect(await call.ended).toEqual(exited(0));
  expect(call.said()).toBe('still here\n');
});

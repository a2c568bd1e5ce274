/** The agent finds the file that serves a request, and refuses unsafe or unusable files. */
import { chmod, chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exited, openRig, type Rig, refused } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

const says = (text: string): string => `#!/bin/sh\necho ${text}\n`;

const expectRefused = async (name: string, code: string, why: string): Promise<void> => {
  const { ended, stdout, stderr } = await rig.run(name);
  expect(ended).toMatchObject(refused(code));
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  expect(rig.reports.at(-1)).toContain(why);
  expect(rig.reports.at(-1)).not.toContain('\n');
};

test('the file for service and argument takes precedence over the file for the service', async () => {
  await rig.script('sign', says('any'));
  await rig.script('sign+key1', says('key1'));
  await rig.script('sign+', says('none'));
  expect((await rig.run('sign+key1')).stdout).toBe('key1\n');
  expect((await rig.run('sign+key2')).stdout).toBe('any\n');
  expect((await rig.run('sign')).stdout).toBe('none\n');
});

test('a missing service is refused with not-found', async () => {
  await expectRefused('nothing+x', 'not-found', 'does not contain nothing+x or nothing');
  await rig.close();
  await expectRefused('nothing', 'not-found', 'does not contain nothing+ or nothing');
});

test('an unusable file ends the search, so that no less specific service answers', async () => {
  await rig.script('sign', says('weaker'));
  await symlink('/nowhere', join(rig.directory, 'sign+broken'));
  await expectRefused(
    'sign+broken',
    'failed',
    'sign+broken is a symbolic link whose target does not exist',
  );
  await symlink('sign+loop', join(rig.directory, 'sign+loop'));
  await expectRefused('sign+loop', 'failed', 'sign+loop ELOOP');
  await mkdir(join(rig.directory, 'sign+directory'));
  await expectRefused('sign+directory', 'failed', 'neither an executable file nor a socket');
  await rig.script('sign+plain', says('plain'), 0o644);
  await expectRefused('sign+plain', 'failed', 'sign+plain is not executable');
  await rig.script('sign+shell', 'echo by a shell\n');
  await expectRefused('sign+shell', 'failed', 'must be an ELF file or begin with "#!"');
  await rig.script('sign+interpreter', '#!/nowhere/sh\n');
  await expectRefused(
    'sign+interpreter',
    'not-found',
    'interpreter (first line, or ELF loader) does not exist',
  );
  await rig.script('sign+forbidden', '#!/etc/passwd\n');
  await expectRefused('sign+forbidden', 'failed', 'EACCES');
});

test('a service directory that is a file is an error, not a missing service', async () => {
  await rm(rig.directory, { recursive: true });
  await writeFile(rig.directory, '');
  await expectRefused('sign', 'failed', 'ENOTDIR');
});

test('a file that other users can write is not run', async () => {
  const path = await rig.script('sign', says('signed'), 0o777);
  await expectRefused(
    'sign',
    'failed',
    `${path} can be written by its group or by others (mode 777)`,
  );
  await chmod(path, 0o775);
  await expectRefused('sign', 'failed', '(mode 775)');
  await chmod(path, 0o755);
  expect((await rig.run('sign')).stdout).toBe('signed\n');
  await chown(path, 65534, 65534);
  await expectRefused('sign', 'failed', `${path} belongs to user 65534`);
  await chown(path, 0, 0);
  await chmod(rig.directory, 0o1777);
  expect((await rig.run('sign')).stdout).toBe('signed\n');
  await chmod(rig.directory, 0o777);
  await expectRefused('sign', 'failed', `${rig.directory} can be written`);
});

test("a link's target is checked like any program, and runs under the link's name", async () => {
  const elsewhere = join(rig.directory, '..', 'elsewhere');
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, 'tool'), '#!/bin/sh\necho "$0"\n', { mode: 0o755 });
  await symlink(join(elsewhere, 'tool'), join(rig.directory, 'tool'));
  expect((await rig.run('tool')).stdout).toBe(`${rig.directory}/tool\n`);
  // Directories on the way count, too: a user who can write there can redirect the link to any program.
  await symlink('../elsewhere/turn', join(rig.directory, 'turned'));
  await symlink('/bin/true', join(elsewhere, 'turn'));
  expect((await rig.run('turned')).ended).toEqual(exited(0));
  await chmod(elsewhere, 0o777);
  await expectRefused('turned', 'failed', `elsewhere can be written`);
  await expectRefused('tool', 'failed', `elsewhere can be written`);
});

test('an ELF file is run', async () => {
  await symlink('/bin/cat', join(rig.directory, 'copy'));
  expect(await rig.run('copy', 'as it is')).toEqual({
    ended: exited(0),
    stdout: 'as it is',
    stderr: '',
  });
});

test('names that lead out of the directory, or that no service can have, are never looked up', async () => {
  await rig.script('sign', says('signed'));
  await expectRefused('.', 'not-found', '"."');
  await expectRefused('..', 'not-found', '".."');
  await expectRefused('..+x', 'not-found', '".."');
  for (const name of [
    '',
    'a/b',
    '../sign',
    'a b',
    'a\0b',
    'é',
    '+x',
    'a+b/c',
    'a+b\n',
    'a+$(id)',
  ]) {
    await expectRefused(name, 'failed', 'the request has invalid characters');
  }
  expect((await rig.run(`sign+${'x'.repeat(250)}`)).stdout).toBe('signed\n');
  expect((await rig.run(`sign+${'x'.repeat(251)}`)).stdout).toBe('signed\n');
  await expectRefused('s'.repeat(256), 'not-found', 'does not contain');
});

test("a socket's path must fit into a socket address, since a truncated path may reach another socket", async () => {
  const name = 's'.repeat(107 - rig.directory.length - 1);
  await rig.resident(name, (socket) => socket.end('resident'));
  expect((await rig.run(name)).stdout).toBe('resident');
  await symlink(name, join(rig.directory, `${name}s`));
  await expectRefused(`${name}s`, 'failed', 'too long for a socket path (limit: 107 bytes)');
});

test('the caller learns only the kind of failure', async () => {
  const { ended } = await rig.run('nothing');
  expect(ended).toEqual({
    kind: 'refused',
    refusal: { code: 'not-found', text: 'there is no such service' },
  });
});

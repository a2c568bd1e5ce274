/** The check for leftovers after a test run. */
import { mkdtempSync, rmdirSync } from 'node:fs';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { differences } from './leftovers.ts';
import { observeMachine } from './machine.ts';
import { describeProcess, processesOf } from './run-mark.ts';
import { until } from './until.ts';

const machine = {
  'link 1: lo: <LOOPBACK>': '',
  'table inet own': 'table inet own { chain c { } }',
  'setting net/ipv4/ip_forward': '0',
  'file /run/xen': '',
  'log [1.2] vifwatch spoofed: IN=vif3.0': '',
};
const facts = (entries: Readonly<Record<string, string>>) => new Map(Object.entries(entries));

test.each<readonly [string, Readonly<Record<string, string>>, readonly string[]]>([
  ['nothing', {}, []],
  ['a link', { 'link 7: vif3.0: <UP>': '' }, ['left: link 7: vif3.0: <UP>']],
  ['a link with its settings', { 'link 7: x': '', 'setting net/a/x': '1' }, ['left: link 7: x']],
  ['a namespace', { 'network namespace dom2': '' }, ['left: network namespace dom2']],
  ['a directory', { 'file /tmp/vifwatch-rig.1.1': '' }, ['left: file /tmp/vifwatch-rig.1.1']],
  [
    'a line in the log',
    { 'log [3.4] vifwatch spoofed: IN=vif3.0': '' },
    ['left: log [3.4] vifwatch spoofed: IN=vif3.0'],
  ],
  [
    'a setting',
    { 'setting net/ipv4/ip_forward': '1' },
    ['changed: setting net/ipv4/ip_forward: 0 -> 1'],
  ],
  [
    'the rules of a table',
    { 'table inet own': 'table inet own { }' },
    ['changed: table inet own: table inet own { chain c { } } -> table inet own { }'],
  ],
])('a run that leaves %s', (_, more, expected) => {
  expect(differences(facts(machine), facts({ ...machine, ...more }))).toEqual(expected);
});

test('a fact that a run removes is reported, unless it is a file or a line of the log', () => {
  const { 'setting net/ipv4/ip_forward': setting = '' } = machine;
  expect(differences(facts(machine), facts({ 'setting net/ipv4/ip_forward': setting }))).toEqual([
    'gone: link 1: lo: <LOOPBACK>',
    'gone: table inet own',
  ]);
});

test('the mark of a run finds its processes, even an orphan without our environment', async () => {
  const mark = 54_321;
  const orphan = 'env -i sleep 1000 >/dev/null 2>&1 & echo $!';
  const { stdout } = await execa('prlimit', [`--msgqueue=${mark}:`, 'sh', '-c', orphan]);
  const pid = Number(stdout);
  onTestFinished(() => {
    if (processesOf(mark).includes(pid)) process.kill(pid, 'SIGKILL');
  });
  await until('the orphan is found', () => describeProcess(pid) === `process ${pid}: sleep 1000`);
  expect(processesOf(mark)).toEqual([pid]);
  expect(processesOf(mark + 1)).toEqual([]);
  process.kill(pid, 'SIGKILL');
  await until('the orphan has ended', () => processesOf(mark).length === 0);
});

test("a directory of a live process is a fact only for that process's run", async () => {
  const directory = mkdtempSync(`/tmp/vifwatch-test.${process.pid}.`);
  onTestFinished(() => rmdirSync(directory));
  expect((await observeMachine(() => true)).has(`file ${directory}`)).toBe(true);
  expect((await observeMachine(() => false)).has(`file ${directory}`)).toBe(false);
});

test('the observed facts describe the machine, and a second look finds the same', async () => {
  const seen = await observeMachine(() => false);
  expect([...seen.keys()]).toContainEqual(expect.stringMatching(/^link 1: lo: /));
  expect([...seen.keys()]).toContainEqual(
    expect.stringMatching(/^address 1: lo +inet 127\.0\.0\.1/),
  );
  expect([...seen.keys()]).toContainEqual(
    expect.stringMatching(/^rule 0:\s+from all lookup local/),
  );
  expect(seen.get('setting net/netfilter/nf_log_all_netns')).toMatch(/^[01]$/);
  expect(seen.get('mount /proc')).toMatch(/^proc /);
  // Only settings are compared, because other programs may change the machine meanwhile.
  const again = await observeMachine(() => false);
  expect(differences(seen, again).filter((difference) => / setting /.test(difference))).toEqual([]);
});

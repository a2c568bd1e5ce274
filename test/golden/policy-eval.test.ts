/** The answers of `vifwatch policy eval`, one line for each request. */
import { execa } from 'execa';
import { test } from 'vitest';
import { directoryWith } from '../support/directory.ts';
import { expectGolden, main } from './golden.ts';

const policy = `sign +key1 web sa-vm allow user=signer
sign * web sa-vm deny
log * @anyvm @anyvm allow
sign * mail sa-vm ask
`;

test('each request gets a line with its action, user and rule', async () => {
  const requests = [
    { source: 'web', service: 'sign', argument: 'key1' },
    { source: 'web', service: 'sign', argument: '+key1' },
    { source: 'web', service: 'sign', argument: 'key2' },
    { source: 'mail', service: 'log', argument: '' },
    { source: 'mail', service: 'log', argument: '', relayed: true },
    { source: 'mail', service: 'sign', argument: '' },
    { source: 'mail', service: 'other', argument: '' },
    { source: 'mail', service: 'log' },
  ];
  const dir = directoryWith({ '1.policy': policy });
  const args = [main, 'policy', 'eval', '--dir', dir, '--self', 'sa-vm'];
  const input = requests.map((request) => JSON.stringify(request)).join('\n');
  const { stdout, exitCode } = await execa(process.execPath, args, { input, reject: false });
  await expectGolden('policy-eval', [`exit status ${exitCode}`, ...stdout.split('\n')]);
});

/** The watch gives the newest policy, which denies everything while any file has an error. */
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Subject } from 'rxjs';
import { expect, type TestContext, test, vi } from 'vitest';
import { watchPolicy } from '../../../src/ipc/config/watch-policy.ts';
import { decideCall } from '../../../src/ipc/policy/decide-call.ts';
import { loadNative } from '../../../src/xen/native.ts';
import { directoryWith } from '../../support/directory.ts';
import { until } from '../../support/until.ts';

const request = { source: 'a', self: 'b', service: 's', argument: '', relayed: false };

/** Watches the policy in `directory` until the test ends. */
const watching = ({ onTestFinished }: TestContext, directory: string) => {
  let verdict = '';
  const nudges = new Subject<void>();
  const watch = watchPolicy(directory, nudges).subscribe(({ policy }) => {
    verdict = decideCall(policy, request).reason;
  });
  onTestFinished(() => watch.unsubscribe());
  return {
    becomes: (reason: string): Promise<void> =>
      until(`the verdict is "${reason}"`, () => verdict.startsWith(reason)),
    nudge: () => nudges.next(),
    verdict: () => verdict,
  };
};

const allow = 's * a b allow\n';

test.concurrent('a bad file denies every call until it is corrected', async (context) => {
  const directory = directoryWith({ '5.policy': allow });
  const file = join(directory, '5.policy');
  const policy = watching(context, directory);
  await policy.becomes('allowed');
  appendFileSync(file, 'oops\n');
  await policy.becomes('policy invalid');
  writeFileSync(file, 's * a b deny\n');
  await policy.becomes('denied by rule');
  writeFileSync(join(directory, '4.policy'), allow);
  await policy.becomes('allowed');
  writeFileSync(join(directory, 'Bad.policy'), '');
  await policy.becomes('policy invalid');
  rmSync(join(directory, 'Bad.policy'));
  await policy.becomes('allowed');
  symlinkSync('nowhere', join(directory, '6.policy'));
  await policy.becomes('policy invalid');
  rmSync(join(directory, '6.policy'));
  await policy.becomes('allowed');
  rmSync(join(directory, '4.policy'));
  await policy.becomes('denied by rule');
});

test('a file that a program is writing changes nothing until the program closes it', async (context) => {
  const asked = vi.spyOn(loadNative(), 'isOpenForWriting');
  context.onTestFinished(() => asked.mockRestore());
  const directory = directoryWith({ '5.policy': 's * a b deny\n' });
  const policy = watching(context, directory);
  await policy.becomes('denied by rule');
  const writer = openSync(join(directory, '5.policy'), 'w');
  writeSync(writer, allow);
  await until('the file is read while it is written', () => {
    return asked.mock.results.filter(({ value }) => value === true).length >= 3;
  });
  expect(policy.verdict()).toMatch(/^denied by rule/);
  writeSync(writer, '# the rest\n');
  closeSync(writer);
  await policy.becomes('allowed');
});

test.concurrent('a file that a program is writing at the start denies every call until it is closed', async (context) => {
  const directory = directoryWith({ '5.policy': allow });
  const writer = openSync(join(directory, '5.policy'), 'a');
  const policy = watching(context, directory);
  await policy.becomes('policy invalid');
  closeSync(writer);
  await policy.becomes('allowed');
});

test.concurrent('included files and link targets are watched in their own directories', async (context) => {
  const elsewhere = directoryWith({ f: allow, linked: '' });
  const directory = directoryWith({ '5.policy': '!include include/x\n', 'include/x': '' });
  const policy = watching(context, directory);
  await policy.becomes('no matching');
  writeFileSync(join(directory, 'include/x'), `!include ${elsewhere}/f\n`);
  await policy.becomes('allowed');
  writeFileSync(join(elsewhere, 'f'), 's * a b deny\n');
  await policy.becomes('denied by rule');
  symlinkSync(join(elsewhere, 'linked'), join(directory, '4.policy'));
  writeFileSync(join(elsewhere, 'linked'), allow);
  await policy.becomes('allowed');
  rmSync(join(directory, 'include/x'));
  await policy.becomes('policy invalid');
});

test.concurrent('a directory may appear, disappear, and be replaced by another', async (context) => {
  const directory = join(directoryWith(), 'policy.d');
  const policy = watching(context, directory);
  await policy.becomes('no policy');
  mkdirSync(directory);
  await policy.becomes('no matching');
  writeFileSync(join(directory, '1.policy'), allow);
  await policy.becomes('allowed');
  renameSync(directory, `${directory}.old`);
  await policy.becomes('no policy');
  const other = directoryWith({ '1.policy': 's * a b deny' });
  renameSync(other, directory);
  await policy.becomes('denied by rule');
  appendFileSync(join(directory, '1.policy'), '\noops');
  await policy.becomes('policy invalid');
});

test.concurrent('a nudge reloads the policy where no watch is possible', async (context) => {
  const parent = join(directoryWith(), 'later');
  const directory = join(parent, 'policy.d');
  const policy = watching(context, directory);
  await policy.becomes('no policy');
  mkdirSync(dirname(join(directory, 'x')), { recursive: true });
  writeFileSync(join(directory, '1.policy'), allow);
  policy.nudge();
  await policy.becomes('allowed');
});

test.concurrent('file changes without a pause do not delay the reload', async (context) => {
  const directory = directoryWith({ '1.policy': allow });
  const policy = watching(context, directory);
  await policy.becomes('allowed');
  const timer = setInterval(() => appendFileSync(join(directory, 'noise'), 'x'), 5);
  context.onTestFinished(() => clearInterval(timer));
  writeFileSync(join(directory, '1.policy'), 's * a b deny\n');
  await policy.becomes('denied by rule');
});

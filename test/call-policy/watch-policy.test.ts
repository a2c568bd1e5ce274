/** The newest policy, and none at all while there is anything wrong with it. */
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BehaviorSubject, filter, firstValueFrom, Subject, timeout } from 'rxjs';
import { test } from 'vitest';
import { decide } from '../../src/call-policy/decide.ts';
import { watchPolicy } from '../../src/call-policy/watch-policy.ts';
import { directoryWith } from '../support/directory.ts';

const request = { source: 'a', self: 'b', service: 's', argument: '', relayed: false };

const watching = (directory: string) => {
  const verdicts = new BehaviorSubject('');
  const nudges = new Subject<void>();
  const watch = watchPolicy(directory, nudges).subscribe(({ policy }) => {
    verdicts.next(decide(policy, request).reason);
  });
  return {
    becomes: (reason: string): Promise<string> =>
      firstValueFrom(
        verdicts.pipe(
          filter((found) => found.startsWith(reason)),
          timeout(5000),
        ),
      ),
    nudge: () => nudges.next(),
    stop: () => watch.unsubscribe(),
  };
};

const allow = 's * a b allow\n';

test.concurrent('a bad file denies everything until it is mended', async () => {
  const directory = directoryWith({ '5.policy': allow });
  const file = join(directory, '5.policy');
  const policy = watching(directory);
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
  policy.stop();
});

test.concurrent('included files are watched where they are, and linked ones too', async () => {
  const elsewhere = directoryWith({ f: allow, linked: '' });
  const directory = directoryWith({ '5.policy': '!include include/x\n', 'include/x': '' });
  const policy = watching(directory);
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
  policy.stop();
});

test.concurrent('a directory that comes, goes, and is exchanged for another', async () => {
  const directory = join(directoryWith(), 'policy.d');
  const policy = watching(directory);
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
  policy.stop();
});

test.concurrent('a nudge helps where nothing can be watched', async () => {
  const parent = join(directoryWith(), 'later');
  const directory = join(parent, 'policy.d');
  const policy = watching(directory);
  await policy.becomes('no policy');
  mkdirSync(dirname(join(directory, 'x')), { recursive: true });
  writeFileSync(join(directory, '1.policy'), allow);
  policy.nudge();
  await policy.becomes('allowed');
  policy.stop();
});

test.concurrent('edits without a pause do not put it off', async () => {
  const directory = directoryWith({ '1.policy': allow });
  const policy = watching(directory);
  await policy.becomes('allowed');
  const timer = setInterval(() => appendFileSync(join(directory, 'noise'), 'x'), 5);
  writeFileSync(join(directory, '1.policy'), 's * a b deny\n');
  await policy.becomes('denied by rule');
  clearInterval(timer);
  policy.stop();
});

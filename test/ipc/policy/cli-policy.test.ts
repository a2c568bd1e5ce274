/** `vifwatch policy check`, `explain` and `eval`, run as programs. */
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { directoryWith } from '../../support/directory.ts';

const main = new URL('../../../dist/main.js', import.meta.url).pathname;

const run = async (args: readonly string[], input = '') => {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, 'policy', ...args], {
    input,
    reject: false,
    maxBuffer: 1e9,
  });
  return { exitCode, lines: stdout.split('\n'), stderr };
};

const good = directoryWith({
  '30-user.policy': [
    '# who may sign',
    'sign +key1 web sa-vm allow user=signer',
    'sign * web sa-vm deny',
    '!include include/more',
    '',
  ].join('\n'),
  'include/more': 'log * @anyvm @anyvm allow\nsign * mail sa-vm ask\n',
});
const bad = directoryWith({ '1.policy': '* * * * allow\nnonsense\n', '2.policy': 'a b c d e\n' });

const errorsOfBad = [
  ['1.policy:2:1', 'fields are missing: a rule is "service argument source destination action"'],
  ['2.policy:1:3', '"b" is neither "*" nor an argument like "+key"'],
  ['2.policy:1:9', '"e" is not an action; the actions are allow, ask and deny'],
];

const line = (source: string, service: string, argument = ''): string =>
  `${JSON.stringify({ source, service, argument })}\n`;

const denied = '{"action":"deny","user":null,"rule":null}';

describe.concurrent('check', () => {
  test('succeeds if there are only warnings', async () => {
    expect(await run(['check', good])).toEqual({
      exitCode: 0,
      lines: [
        'include/more:2:19: warning: "ask" denies: nobody can answer',
        '2 files, 4 rules: 0 errors, 1 warning',
      ],
      stderr: '',
    });
  });

  test('reports all errors at once', async () => {
    const { exitCode, lines } = await run(['check', bad]);
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      ...errorsOfBad.map(([place, text]) => `${place}: error: ${text}`),
      '2 files, 1 rule: 3 errors, 0 warnings: every call is denied until the policy is corrected',
    ]);
  });

  test('fails for a missing directory', async () => {
    const { exitCode, lines } = await run(['check', '/nonexistent/policy.d']);
    expect(exitCode).toBe(1);
    expect(lines[0]).toBe('/nonexistent/policy.d: error: no such directory: every call is denied');
  });
});

describe.concurrent('explain', () => {
  const explain = (...args: string[]) => run(['explain', '--self', 'sa-vm', ...args]);

  test('shows the deciding rule, and the rules of the service before it', async () => {
    expect(await explain('--dir', good, 'web', 'sign+key2')).toEqual({
      exitCode: 1,
      lines: [
        'deny: denied by rule',
        '  30-user.policy:3: sign * web sa-vm deny',
        'earlier rules for sign:',
        '  30-user.policy:2: sign +key1 web sa-vm allow user=signer  (another argument)',
      ],
      stderr: '',
    });
    expect(await explain('--dir', good, 'web', 'sign+key1')).toMatchObject({
      exitCode: 0,
      lines: [
        'allow as signer: allowed by rule',
        '  30-user.policy:2: sign +key1 web sa-vm allow user=signer',
      ],
    });
  });

  test('judges a relayed call with --relayed', async () => {
    const dir = directoryWith({ '1.policy': 'log * @anyvm sa-vm allow relayed=no\n' });
    expect((await explain('--dir', dir, 'web', 'log')).lines[0]).toBe('allow: allowed by rule');
    const { exitCode, lines } = await explain('--relayed', '--dir', dir, 'web', 'log');
    expect({ exitCode, line: lines[0] }).toEqual({
      exitCode: 1,
      line: 'deny: the rule does not allow relayed calls',
    });
  });

  test('shows for each rule of the service why it does not match', async () => {
    const { exitCode, lines } = await explain('--dir', good, 'work', 'sign');
    expect(exitCode).toBe(1);
    expect(lines[0]).toBe('deny: no matching rule');
    expect(lines.slice(2).map((text) => text.replace(/.* {2}/, ''))).toEqual([
      ...['(another argument)', '(another source)', '(another source)'],
    ]);
  });

  test("shows an invalid policy's errors", async () => {
    const { exitCode, lines } = await explain('--dir', bad, 'work', 'sign');
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      'deny: policy invalid',
      ...errorsOfBad.map(([place, text]) => `  ${place}: ${text}`),
    ]);
  });
});

describe.concurrent('eval', () => {
  const evaluate = (directory: string, input: string) =>
    run(['eval', '--dir', directory, '--self', 'sa-vm'], input);

  test('answers each request with one line', async () => {
    const input = [
      '{"source":"mail","service":"log","argument":"","relayed":true}\n',
      ...[line('web', 'sign', 'key1'), line('web', 'sign', '+key1'), line('web', 'sign')],
      ...[line('mail', 'log', 'x'), line('mail', 'sign'), line('work', 'sign')],
      ...[line('dom0', 'log'), line('sa-vm', 'log'), line('__proto__', 'constructor')],
      line('web\u2028', 'log').trimEnd(),
    ];
    expect(await evaluate(good, input.join(''))).toEqual({
      exitCode: 0,
      lines: [
        '{"action":"allow","user":null,"rule":"include/more:1"}',
        '{"action":"allow","user":"signer","rule":"30-user.policy:2"}',
        '{"action":"allow","user":"signer","rule":"30-user.policy:2"}',
        '{"action":"deny","user":null,"rule":"30-user.policy:3"}',
        '{"action":"allow","user":null,"rule":"include/more:1"}',
        '{"action":"deny","user":null,"rule":"include/more:2"}',
        ...[denied, denied, denied, denied, denied],
      ],
      stderr: '',
    });
  });

  test('denies and reports a malformed request, and answers the others', async () => {
    const malformed = [
      ...['', 'null', '[]', '"x"', '{', '{}', '{"source":"web","service":"log"}'],
      '{"source":"web","service":"log","argument":null}',
      '{"source":"web","service":"log","argument":"","target":"mail"}',
      `{"source":"web","service":"log","argument":""${' '.repeat(70_000)}}`,
    ];
    const input = malformed.map((text) => `${line('web', 'log')}${text}\n`).join('');
    const { exitCode, lines, stderr } = await evaluate(good, input);
    expect(exitCode).toBe(1);
    const allowed = '{"action":"allow","user":null,"rule":"include/more:1"}';
    expect(lines).toEqual(malformed.flatMap(() => [allowed, denied]));
    const errors = stderr.split('\n').map((text) => text.replace(/ is not a request like .*/, ''));
    expect(errors).toEqual(malformed.map((_, at) => `vifwatch: line ${2 * at + 2}`));
  });

  test('denies every request under an invalid policy', async () => {
    const { exitCode, lines, stderr } = await evaluate(bad, line('web', 'log').repeat(3));
    expect({ exitCode, lines }).toEqual({ exitCode: 1, lines: [denied, denied, denied] });
    expect(stderr.split('\n')).toEqual(
      errorsOfBad.map(([place, text]) => `vifwatch: ${place}: ${text}`),
    );
  });

  test('requires --self', async () => {
    const { exitCode, stderr } = await run(['eval', '--dir', good]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--self');
  });

  test('answers before the next request comes', async ({ onTestFinished }) => {
    const argv = [main, 'policy', 'eval', '--dir', good, '--self', 'b'];
    const evaluator = execa(process.execPath, argv, { reject: false });
    onTestFinished(() => void evaluator.kill());
    const answers = createInterface(evaluator.stdout)[Symbol.asyncIterator]();
    for (let round = 0; round < 3; round += 1) {
      evaluator.stdin.write(line('a', 'log'));
      const { value } = await answers.next();
      assert.match(value, /"allow"/);
    }
    evaluator.stdin.end();
    assert.equal((await evaluator).exitCode, 0);
  });

  test('answers 100 000 requests', async () => {
    const { exitCode, lines } = await evaluate(good, line('web', 'sign', 'key1').repeat(100_000));
    expect(exitCode).toBe(0);
    expect(lines).toHaveLength(100_000);
    expect(new Set(lines).size).toBe(1);
  });
});

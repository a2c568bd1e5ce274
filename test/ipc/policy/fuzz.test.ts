/**
 * The parser returns for any bytes, names the place of each error, and reads the same rule again from an
 * accepted rule's words.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideCall } from '../../../src/ipc/policy/decide-call.ts';
import { lint } from '../../../src/ipc/policy/lint.ts';
import { placeText } from '../../../src/text/diagnostic.ts';
import { printFigures } from '../../support/figures.ts';
import { seed } from '../../support/seed.ts';
import { parse, policyOf } from './policy-of.ts';

/** Number of inputs. 20 000 take seconds; `npm run nightly` asks for a million. */
const inputs = Number(process.env['VIFWATCH_FUZZ'] ?? 20_000);

const pieces = [
  ...['sign', '+key', '+', '*', '@anyvm', '@default', '@tag:x', '@dispvm:@tag:', 'dom0', 'web'],
  ...['allow', 'ask', 'deny', 'user=', 'target=web', 'notify=yes', 'notify=', 'default_target=@'],
  ...['!include', '!include-dir', '!include-service', '!compat-4.0', '#', '$include:', '__proto__'],
  ...['\n', '\n', '\r\n', '\r', '\t', '\0', '\u2028', '\u00a0', '\ufeff', 'é', '=', '@', '!', ','],
  ...['s * a b deny', 's +x a b allow', '* * * * ask'].map((rule) => `\n${rule}\n`),
];

const soup = fc
  .array(fc.constantFrom(...pieces, ...pieces.map((piece) => `${piece} `)), { maxLength: 40 })
  .map((chosen) => new Uint8Array(Buffer.from(chosen.join(''))));
const bytes = fc.uint8Array({ maxLength: 200 });
const broken = fc
  .tuple(soup, bytes, fc.nat())
  .map(([text, noise, at]) =>
    Buffer.concat([
      text.subarray(0, at % (text.length + 1)),
      noise.subarray(0, 3),
      text.subarray(at % (text.length + 1)),
    ]),
  );

const words = [
  { text: 's', column: 1 },
  { text: '*', column: 1 },
] as const;

test(`the parser copes with ${inputs} random texts`, () => {
  let texts = 0;
  let accepted = 0;
  const check = (text: Uint8Array, old: boolean): void => {
    const { statements, diagnostics } = parse(text, old ? words : undefined);
    const lines = Buffer.from(text).toString('latin1').split('\n').length;
    for (const { place, text: what } of diagnostics) {
      const [, line, column] = /^p:(\d+):(\d+)$/.exec(placeText(place)) ?? [];
      if (!(Number(line) <= lines && Number(column) >= 1)) throw new Error(placeText(place));
      if (!/^[ -~]{5,300}$/.test(what)) throw new Error(`unreadable: ${what}`);
    }
    const rules = statements.flatMap((statement) =>
      statement.kind === 'rule' ? [statement.rule] : [],
    );
    texts += 1;
    accepted += rules.length;
    for (const { words: said, service, argument, source, action } of rules) {
      const [again] = parse(said.map(({ text: word }) => word).join(' ')).statements;
      expect(again).toMatchObject({ kind: 'rule', rule: { service, argument, source, action } });
    }
    lint(rules);
    decideCall(policyOf(rules), {
      source: 'web',
      self: 'a',
      relayed: false,
      service: 'sign',
      argument: 'key',
    });
  };
  fc.assert(fc.property(fc.oneof(soup, broken, bytes), fc.boolean(), check), {
    numRuns: inputs,
    seed,
  });
  // Ensures that the inputs contain enough valid rules.
  expect(accepted).toBeGreaterThan(inputs / 20);
  printFigures({ texts, acceptedRules: accepted, seed });
});

import { expect, test } from 'vitest';
import { initialWindow, maxWindow } from '../../../src/ipc/protocol/limits.ts';
import { addCredit, initialCredit, stopCredit } from '../../../src/ipc/protocol/outbound.ts';

test('credit adds up to the greatest window, and not beyond', () => {
  const credit = initialCredit();
  expect(credit.left).toBe(initialWindow);
  addCredit(credit, 'stdin', maxWindow - initialWindow);
  expect(() => addCredit(credit, 'stdin', 1)).toThrow('1 bytes of credit for stdin on top of');
  expect(credit.left).toBe(maxWindow);
});

test('an empty CREDIT is a violation', () => {
  expect(() => addCredit(initialCredit(), 'stdin', 0)).toThrow('0 bytes of credit');
});

test('STOP comes once, and no CREDIT comes after it', () => {
  const credit = initialCredit();
  stopCredit(credit, 'stdout');
  expect(() => addCredit(credit, 'stdout', 1)).toThrow('credit for stdout after its stop');
  expect(() => stopCredit(credit, 'stdout')).toThrow('a second stop of stdout');
});

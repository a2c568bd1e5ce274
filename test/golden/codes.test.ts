/** The codes that scripts rely on. */
import { test } from 'vitest';
import { processCodes, vifCodes } from '../../src/errors.ts';
import { auditCodes } from '../../src/host/audit/finding.ts';
import { refusalCodes } from '../../src/ipc/protocol/call.ts';
import { closeCodes } from '../../src/ipc/protocol/close-reason.ts';
import { vchanCodes } from '../../src/ipc/vchan/vchan-error.ts';
import { expectGolden } from './golden.ts';

const sorted = (codes: readonly string[]): readonly string[] => [...codes].sort();

/** The numbers on the wire are positions in these lists, counted from 1. */
const numbered = (codes: readonly string[]): readonly string[] =>
  codes.map((code, index) => `${index + 1} ${code}`);

test('a closed vif has one of these codes', () => expectGolden('codes-vif', sorted(vifCodes)));

test('a process that fails has one of these codes', () =>
  expectGolden('codes-process', sorted(processCodes)));

test('an audit finding has one of these codes', () =>
  expectGolden('codes-audit', sorted(auditCodes)));

test('a vchan that fails has one of these codes', () =>
  expectGolden('codes-vchan', sorted(vchanCodes)));

test('a refused call has one of these codes, with this number on the wire', () =>
  expectGolden('codes-refusal', numbered(refusalCodes)));

test('a closed link has one of these codes, with this number on the wire', () =>
  expectGolden('codes-close', numbered(closeCodes)));

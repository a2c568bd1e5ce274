import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openVifHistory } from '../../../src/network/daemon/vif-history.ts';
import { decideVifs } from '../../../src/network/vif/decide-vifs.ts';
import { backendVif, circumstances } from '../store-fixture.ts';

const openHistory = () => {
  const lines: { vif: string; phase?: string; claim?: string; suppressed?: number }[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const time = { nowMs: 0 };
  const history = openVifHistory(log, () => time.nowMs);
  const record = (state: '2' | '5', domid = 3, claim?: string) => {
    const vif = backendVif(domid, { state, online: '1', 'hotplug-status': 'connected' }, claim);
    const decisions = decideVifs(circumstances([vif], { linkNames: new Set() }));
    return history.record(
      decisions.map((decision) => ({ ...decision, vif: { ...vif, online: state === '2' } })),
      () => undefined,
      new Map(),
    );
  };
  return { lines, time, record };
};

const phases = ['2', '5'] as const;

test('a vif that changes its phase without end causes a few lines, and then one a second', () => {
  const { lines, time, record } = openHistory();
  for (let round = 0; round < 1000; round += 1) record(phases[round % 2] ?? '2');
  expect(lines).toHaveLength(6);
  time.nowMs = 10_000;
  for (let round = 0; round < 1000; round += 1) record(phases[round % 2] ?? '2');
  expect(lines).toHaveLength(12);
  expect(lines[6]?.suppressed).toBeGreaterThan(900);
});

test('the last phase is logged later, when there is room for a line', () => {
  const { lines, time, record } = openHistory();
  for (let round = 0; round < 8; round += 1) record(phases[round % 2] ?? '2');
  const dueInMs = record('5');
  expect(lines.at(-1)?.phase).toBe('closing');
  expect(record('2')).toBe(dueInMs);
  expect(lines).toHaveLength(6);
  time.nowMs += dueInMs ?? 0;
  expect(record('2')).toBeUndefined();
  expect(lines).toHaveLength(7);
  expect(lines.at(-1)).toMatchObject({ phase: 'waiting', suppressed: 4 });
});

test('a vif that claims without end does not silence another one', () => {
  const { lines, record } = openHistory();
  for (let round = 0; round < 250; round += 1) record('2', 3, `6.6.6.${round}`);
  const own = lines.length;
  record('2', 4, '6.6.6.6');
  expect(lines.slice(own).map(({ vif }) => vif)).toContain('4/0');
});

import { describe, expect, test } from 'vitest';
import { netVm, own, startDomains, stores } from './domains.ts';

describe.each(stores)('%s', (store) => {
  test('the writes of a transaction are visible only after its commit', async () => {
    const { open } = await startDomains(store);
    const [xenstore, other] = [open(netVm), open(netVm)];
    const result = await xenstore.transaction(async (tx) => {
      await xenstore.write(`${own}/a`, '1', tx);
      expect(await xenstore.list(own, tx)).toEqual(['a']);
      expect(await other.list(own)).toEqual([]);
      return 'result';
    });
    expect(result).toBe('result');
    expect(await other.list(own)).toEqual(['a']);
  });

  test('a body that throws leaves no write and no open transaction', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    // 20 transactions are more than a domain can have open.
    for (let i = 0; i < 20; i++) {
      const failed = xenstore.transaction(async (tx) => {
        await xenstore.write(`${own}/a`, '1', tx);
        throw new Error(`body ${i}`);
      });
      await expect(failed).rejects.toThrow(`body ${i}`);
    }
    expect(await xenstore.list(own)).toEqual([]);
  });

  test('a conflict runs the body again, on the new values', async () => {
    const { open } = await startDomains(store);
    const [xenstore, other] = [open(netVm), open(netVm)];
    await xenstore.write(`${own}/count`, '1');
    let runs = 0;
    await xenstore.transaction(async (tx) => {
      runs += 1;
      const count = Number(await xenstore.read(`${own}/count`, tx));
      if (runs === 1) await other.write(`${own}/count`, '10');
      await xenstore.write(`${own}/count`, `${count + 1}`, tx);
    });
    expect(runs).toBe(2);
    expect(await xenstore.read(`${own}/count`)).toBe('11');
  });

  test('a conflict in each of eight runs is reported as EAGAIN', async () => {
    const { open } = await startDomains(store);
    const [xenstore, other] = [open(netVm), open(netVm)];
    await xenstore.write(`${own}/a`, '0');
    let runs = 0;
    const result = xenstore.transaction(async (tx) => {
      runs += 1;
      // Without this read oxenstored would replay the transaction instead of reporting the conflict.
      await xenstore.read(`${own}/a`, tx);
      await xenstore.write(`${own}/a`, 'ours', tx);
      await other.write(`${own}/a`, `${runs}`);
    });
    await expect(result).rejects.toMatchObject({ code: 'EAGAIN', operation: 'commit' });
    expect(runs).toBe(8);
    expect(await xenstore.read(`${own}/a`)).toBe('8');
  });

  test('a write to a node that another connection removed meanwhile does not create it again', async () => {
    const { open } = await startDomains(store);
    const [xenstore, other] = [open(netVm), open(netVm)];
    await xenstore.write(`${own}/vif/state`, '2');
    const result = xenstore.transaction(async (tx) => {
      await xenstore.read(`${own}/vif/state`, tx);
      await other.remove(`${own}/vif`);
      await xenstore.write(`${own}/vif/hotplug-status`, 'connected', tx);
    });
    await expect(result).rejects.toMatchObject({ code: 'ENOENT', operation: 'read' });
    expect(await xenstore.list(own)).toEqual([]);
  });

  test('many transactions at once run one after the other', async () => {
    const { open } = await startDomains(store);
    const xenstore = open(netVm);
    await xenstore.write(`${own}/count`, '0');
    let running = 0;
    const increment = () =>
      xenstore.transaction(async (tx) => {
        running += 1;
        expect(running).toBe(1);
        const count = Number(await xenstore.read(`${own}/count`, tx));
        await xenstore.write(`${own}/count`, `${count + 1}`, tx);
        running -= 1;
      });
    await Promise.all(Array.from({ length: 30 }, increment));
    expect(await xenstore.read(`${own}/count`)).toBe('30');
  });
});

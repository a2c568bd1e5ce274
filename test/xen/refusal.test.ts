import { describe, expect, test } from 'vitest';
import { ifMissing, ifRefused } from '../../src/xen/refusal.ts';
import { XenstoreError } from '../../src/xen/xenstore.ts';

const failure = (code: string): Promise<string> =>
  Promise.reject(new XenstoreError(code, 'read', '/local/domain/3'));

test('a request that succeeds keeps its result', async () => {
  expect(await ifMissing(Promise.resolve('4'), undefined)).toBe('4');
  expect(await ifRefused(Promise.resolve('4'), undefined)).toBe('4');
});

describe('ifMissing', () => {
  test.each(['ENOENT', 'EACCES'])('gives the fallback for %s', async (code) => {
    expect(await ifMissing(failure(code), 'none')).toBe('none');
  });

  test.each(['EBADF', 'ENOSPC', 'E2BIG'])('rejects with %s', async (code) => {
    await expect(ifMissing(failure(code), 'none')).rejects.toMatchObject({ code });
  });

  test('rejects with an error that does not come from xenstored', async () => {
    const error = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    await expect(ifMissing(Promise.reject(error), 'none')).rejects.toBe(error);
  });
});

describe('ifRefused', () => {
  test.each(['ENOENT', 'ENOSPC', 'EINVAL'])('gives the fallback for %s', async (code) => {
    expect(await ifRefused(failure(code), [])).toEqual([]);
  });

  test('rejects if the connection is lost', async () => {
    await expect(ifRefused(failure('EBADF'), [])).rejects.toMatchObject({ code: 'EBADF' });
  });
});

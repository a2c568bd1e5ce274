/** Runs every kind of request on many connections at once; prints the number of failures with each code. */
import { firstValueFrom } from 'rxjs';
import { loadNative, type NativeXenstore } from '../../../src/xen/native.ts';
import { openXenstore, type Permission, type Xenstore } from '../../../src/xen/xenstore.ts';

const failures: Record<string, number> = {};
const tolerate = (error: unknown): void => {
  const code = error instanceof Error && 'code' in error ? `${error.code}` : `${error}`;
  failures[code] = (failures[code] ?? 0) + 1;
};

const allBytes = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
const permissions: readonly Permission[] = [{ domid: 2, read: true, write: false }];

type Work = (xenstore: Xenstore, number: number) => Promise<unknown>;
const works: readonly Work[] = [
  (xenstore, number) => xenstore.write(`data/${number % 10}/x`, allBytes),
  (xenstore, number) => xenstore.read(`data/${number % 10}/x`),
  (xenstore, number) => xenstore.readAll([`data/${number % 10}/x`, 'none', '/libxl/2/type']),
  (xenstore) => xenstore.list('data'),
  (xenstore) => xenstore.tree('data'),
  (xenstore, number) => xenstore.remove(`data/${number % 10}`),
  (xenstore) => xenstore.setPermissions('data', permissions),
  (xenstore) => xenstore.getPermissions('data'),
  (xenstore) => xenstore.read('none'),
  (xenstore) => xenstore.read('/libxl/2/type'),
  (xenstore) => xenstore.read('nul\0'),
  (xenstore) => xenstore.write('data/x', 'x'.repeat(10_000)),
  (xenstore) => xenstore.write('data/x', '\u{1f600}'),
  (xenstore) => firstValueFrom(xenstore.watch('data')),
  async (xenstore) => xenstore.watch('data').subscribe().unsubscribe(),
  (xenstore, number) =>
    xenstore.transaction(async (tx) => {
      await xenstore.write('data/count', `${number}`, tx);
      await xenstore.read('data/count', tx);
    }),
];

const useConnection = async (rounds: number): Promise<void> => {
  const xenstore = openXenstore();
  xenstore.watch('data').subscribe();
  for (let round = 0; round < rounds; round++) {
    const results = works.map((work, index) => work(xenstore, round + index).catch(tolerate));
    if (round % 2 === 0) await Promise.all(results);
  }
  const last = xenstore.read('domid').catch(tolerate);
  xenstore.close();
  await last;
};

const loseConnection = async (): Promise<void> => {
  const xenstore = openXenstore();
  // The simulated kernel breaks the connection when xenstored refuses a watch.
  xenstore.watch('data').subscribe({ error: tolerate });
  xenstore.watch('').subscribe({ error: tolerate });
  await xenstore.read('domid').catch(tolerate);
  await xenstore.list('data').catch(tolerate);
};

/** A watch's callback closes the connection while replies are on their way. */
const closeFromWithin = async (): Promise<void> => {
  const xenstore = openXenstore();
  xenstore.watch('data').subscribe(() => xenstore.close());
  const reads = Array.from({ length: 20 }, () => xenstore.read('domid'));
  await Promise.all(reads.map((read) => read.catch(tolerate)));
};

const misuseNative = async (): Promise<void> => {
  const { Xenstore } = loadNative();
  const native = new Xenstore();
  const wrong: readonly unknown[] = [undefined, 7, {}, Symbol('wrong')];
  const misuse = async (method: keyof NativeXenstore, value: unknown): Promise<void> => {
    await Reflect.apply(native[method], native, [value, 0, value]);
  };
  const methods = [
    'read',
    'readAll',
    'write',
    'setPermissions',
    'watch',
    'unwatch',
    'end',
  ] as const;
  const results = methods.flatMap((method) => wrong.map((value) => misuse(method, value)));
  await Promise.all(results.map((result) => result.catch(tolerate)));
  native.close();
};

for (let i = 0; i < 4; i++) {
  await Promise.all([
    ...[useConnection(12), useConnection(7)],
    ...[loseConnection(), closeFromWithin(), misuseNative()],
  ]);
}
console.log(JSON.stringify(failures));

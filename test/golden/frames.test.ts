/** The call protocol's bytes between two ends of a link. */
import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { onTestFinished, test } from 'vitest';
import type { IncomingCall } from '../../src/ipc/protocol/call.ts';
import { refusalCodes } from '../../src/ipc/protocol/call.ts';
import { closeCodes } from '../../src/ipc/protocol/close-reason.ts';
import { type Mux, openMux } from '../../src/ipc/protocol/mux.ts';
import { until } from '../support/until.ts';
import { expectGolden } from './golden.ts';

/** Splits bytes into frames, each shown as header and payload; a long payload is cut. */
const framesIn = (bytes: Buffer): string[] => {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt16LE(at + 2);
    const header = bytes.toString('hex', at, at + 8);
    const payload = bytes.toString('hex', at + 8, end);
    const cut = payload.length > 160 ? `${payload.slice(0, 32)}... ${payload.length / 2}` : payload;
    frames.push(`${header} ${cut}`.trim());
    at = end;
  }
  return frames;
};

type Linked = {
  readonly client: Mux;
  readonly server: Mux;
  /** All frames so far by sender, each in sending order. */
  readonly said: () => { readonly client: readonly string[]; readonly server: readonly string[] };
};

const link = async (onCall: (call: IncomingCall) => void): Promise<Linked> => {
  const said = { client: [] as Buffer[], server: [] as Buffer[] };
  const pipes = { client: new PassThrough(), server: new PassThrough() };
  pipes.client.on('data', (chunk: Buffer) => said.client.push(chunk));
  pipes.server.on('data', (chunk: Buffer) => said.server.push(chunk));
  const ends = {
    client: Duplex.from({ readable: pipes.server, writable: pipes.client }),
    server: Duplex.from({ readable: pipes.client, writable: pipes.server }),
  };
  for (const end of Object.values(ends)) end.on('error', () => {});
  const client = openMux(ends.client, { role: 'client', name: 'caller', onCall: () => {} });
  const server = openMux(ends.server, { role: 'server', name: 'target', onCall });
  const end = { code: 'shutdown', text: 'the test is over' } as const;
  onTestFinished(() => {
    client.close(end);
    server.close(end);
  });
  await Promise.all([client.ready, server.ready]);
  const hexOf = (chunks: readonly Buffer[]): string[] => framesIn(Buffer.concat(chunks));
  return {
    client,
    server,
    said: () => ({ client: hexOf(said.client), server: hexOf(said.server) }),
  };
};

const request = { target: 'sa-vm', service: 'sign', argument: 'key1' };

const listing = ({ said }: Linked): readonly string[] => {
  const { client, server } = said();
  return ['# from the caller', ...client, '# from the target', ...server];
};

/** Waits for a frame of this type from either end. */
const frameOf = ({ said }: Linked, type: number): Promise<void> =>
  until(`a frame of type ${type}`, () => {
    const begin = type.toString(16).padStart(2, '0');
    const { client, server } = said();
    return [...client, ...server].some((frame) => frame.startsWith(begin));
  });

test('a whole call has these bytes: HELLO, OPEN, STDIN, STDOUT, STDERR, EXIT, RELEASE', async () => {
  const linked = await link(async (call) => {
    const input = await buffer(call.stdin);
    call.stderr.end('to stderr');
    await once(call.stderr, 'finish');
    call.stdout.end(input);
    await once(call.stdout, 'finish');
    call.exit(7);
  });
  const call = linked.client.open(request);
  call.stdin.end('the input');
  await Promise.all([buffer(call.stdout), buffer(call.stderr), call.outcome]);
  await frameOf(linked, 24);
  await expectGolden('frames-call', listing(linked));
});

test('a call on behalf of another VM has these bytes: VOUCH', async () => {
  const linked = await link((call) => call.exit(0));
  const call = linked.client.open({ ...request, target: '', source: 'workload-vm' });
  await call.outcome;
  const vouches = linked.said().client.filter((frame) => frame.startsWith('1a'));
  await expectGolden('frames-vouch', vouches);
});

test('a caller that gives up has these bytes: CANCEL', async () => {
  const linked = await link((call) => {
    call.cancelled.addEventListener('abort', () => call.exit(143));
  });
  const call = linked.client.open(request);
  await frameOf(linked, 16);
  call.cancel();
  await call.outcome;
  const cancels = linked.said().client.filter((frame) => frame.startsWith('17'));
  await expectGolden('frames-cancel', cancels);
});

test('a reader that stops has these bytes for each channel: STOP', async () => {
  const linked = await link((call) => {
    call.stdin.destroy();
    call.stdout.write('x');
    call.stderr.write('x');
  });
  const call = linked.client.open(request);
  call.stdin.on('error', () => {});
  call.stdout.destroy();
  call.stderr.destroy();
  const stops = (): readonly string[] => {
    const { client, server } = linked.said();
    return [...client, ...server].filter((frame) => frame.startsWith('16')).sort();
  };
  await until('three STOP frames are sent', () => stops().length === 3);
  await expectGolden('frames-stop', stops());
});

test('a reader that has read has these bytes: CREDIT', async () => {
  const linked = await link(async (call) => {
    await buffer(call.stdin);
    call.exit(0);
  });
  const call = linked.client.open(request);
  call.stdin.end(Buffer.alloc(8192, 'x'));
  await call.outcome;
  const [first = ''] = linked.said().server.filter((frame) => frame.startsWith('15'));
  // The amount is cut off, because the receiver chooses it.
  await expectGolden('frames-credit', [first.slice(0, -8)]);
});

test('ends of an idle link have these bytes: PING, PONG', async () => {
  const linked = await link(() => {});
  await frameOf(linked, 3);
  const { client, server } = linked.said();
  const beats = [...client, ...server].filter((frame) => /^0[23]/.test(frame)).sort();
  await expectGolden('frames-ping', [...new Set(beats)]);
});

test('each refusal has these bytes: REFUSE', async () => {
  const linked = await link((call) => {
    const code = refusalCodes.find((refusalCode) => refusalCode === call.request.argument);
    if (code === undefined) throw new Error(call.request.argument);
    call.refuse({ code, text: `this is ${code}` });
  });
  for (const argument of refusalCodes) await linked.client.open({ ...request, argument }).outcome;
  const refusals = linked.said().server.filter((frame) => frame.startsWith('11'));
  await expectGolden('frames-refuse', refusals);
});

test('each end of a link has these bytes: GOODBYE', async () => {
  const goodbyes: string[] = [];
  for (const code of closeCodes) {
    const linked = await link(() => {});
    linked.server.close({ code, text: `this is ${code}` });
    await linked.server.closed;
    goodbyes.push(...linked.said().server.filter((frame) => frame.startsWith('04')));
  }
  await expectGolden('frames-goodbye', goodbyes);
});

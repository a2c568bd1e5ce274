import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

type Message = { readonly return?: unknown; readonly error?: { readonly desc: string } };

/** Speaks QMP on a connection; resolves with a function that runs a command of QEMU's human monitor. */
export const openMonitor = async (socket: Socket): Promise<(line: string) => Promise<void>> => {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error('QEMU closed its monitor');
      const message = JSON.parse(value) as Message;
      if (message.error !== undefined) throw new Error(message.error.desc);
      if ('return' in message) return message.return;
    }
  };
  const execute = (execute: string, args?: object): Promise<unknown> => {
    socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    return answer();
  };
  await execute('qmp_capabilities');
  return async (line) => {
    const printed = await execute('human-monitor-command', { 'command-line': line });
    if (printed !== '') throw new Error(`QEMU, ${line}: ${String(printed).trim()}`);
  };
};

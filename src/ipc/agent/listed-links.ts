/** With whom a VM has links by its configuration, and in which part. */
import type { LinkConfig } from '../config/kernel-command-line.ts';
import type { VmName } from '../config/vm-name.ts';
import type { Role } from './peer-status.ts';

export type Listed = Readonly<Record<Role, ReadonlySet<VmName>>>;

/** The relay, if there is one, is somebody to have a link with. */
export const listedIn = (
  { serve, connect, relay }: LinkConfig,
  self: string | undefined,
): Listed => {
  const server = new Set(serve.names);
  const isAsked = relay !== undefined && relay !== self && !server.has(relay);
  return { server, client: new Set(isAsked ? [...connect, relay] : connect) };
};

/** The peers that a VM's configuration lists, by the VM's role on the link. */
import type { LinkConfig } from '../config/kernel-command-line.ts';
import type { VmName } from '../config/vm-name.ts';
import type { Role } from './peer-status.ts';

export type Listed = Readonly<Record<Role, ReadonlySet<VmName>>>;

/**
 * Lists the configured peers. The relay is one of them: this VM is its client, unless it already serves the
 * relay.
 * @param self this VM's name, which may be the relay's
 */
export const listedIn = (
  { serve, connect, relay }: LinkConfig,
  self: string | undefined,
): Listed => {
  const server = new Set(serve.names);
  const isAsked = relay !== undefined && relay !== self && !server.has(relay);
  return { server, client: new Set(isAsked ? [...connect, relay] : connect) };
};

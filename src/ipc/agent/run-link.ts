/** Runs the call protocol over an established link, from HELLO to its end. */
import type { Logger } from 'pino';
import type { Domid } from '../../address/domid.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { openMux } from '../protocol/mux.ts';
import type { LinkState } from './link-state.ts';
import type { Role } from './peer-status.ts';
import type { EstablishedLink } from './rendezvous.ts';

export type LinkRun = {
  readonly role: Role;
  /** This VM's name. */
  readonly self: string;
  /** The domid of the VM at the other end. */
  readonly domid: Domid;
  readonly onCall: (call: IncomingCall) => void;
  readonly state: Pick<LinkState, 'linkIsUp' | 'linkIsOver'>;
  readonly log: Logger;
};

/** Resolves when the link is over. Never rejects. */
export const runLink = async (
  { link, place }: EstablishedLink,
  { role, self, domid, onCall, state, log }: LinkRun,
): Promise<void> => {
  const mux = openMux(link, { role, name: self, onCall });
  let cause: string | undefined;
  link.once('error', (error: Error & { code?: string }) => {
    cause = error.code;
  });
  mux.ready.then(
    () => {
      state.linkIsUp(mux, place);
      log.info({ domid, place }, 'the link is up');
    },
    () => {},
  );
  const { kind, code, text } = await mux.over;
  state.linkIsOver(mux);
  log.info({ domid, by: kind, code, cause, reason: text }, 'the link is closed');
};

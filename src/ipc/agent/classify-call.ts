/** What a call is that came over a link: whose, and for this VM or another one. */
import { isDomainMapName, type VmName } from '../config/vm-name.ts';
import type { CallRequest, Refusal } from '../protocol/call.ts';

/** What this VM is told about relays: a name, which may be its own. */
export type RelayContext = { readonly self: string; readonly relay: VmName | undefined };

type ClassifiedCall =
  /** @property via the relay whose word the source is; undefined if the call came from there itself */
  | { readonly kind: 'call'; readonly source: VmName; readonly via: VmName | undefined }
  | { readonly kind: 'to-relay'; readonly target: VmName }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const refused = (code: Refusal['code'], text: string): ClassifiedCall => ({
  kind: 'refused',
  refusal: { code, text },
});

/** A call that the VM at the other end makes on behalf of another: it counts only from this VM's own relay. */
const classifyVouched = (
  { self, relay }: RelayContext,
  caller: VmName,
  source: string,
): ClassifiedCall => {
  if (caller !== relay) {
    return refused('denied', `${self} takes no calls by way of ${caller}`);
  }
  if (!isDomainMapName(source) || source === self || source === caller) {
    return refused('denied', 'a relay vouches for other VMs than the two ends, by their names');
  }
  return { kind: 'call', source, via: caller };
};

/** A call that is to go on to another VM. */
const classifyOnward = (
  { self, relay }: RelayContext,
  caller: VmName,
  target: string,
): ClassifiedCall => {
  if (self !== relay) return refused('unreachable', `${self} relays no calls`);
  if (!isDomainMapName(target)) return refused('unreachable', 'not the name of a VM');
  if (target === caller) return refused('unreachable', 'a VM does not call itself');
  return { kind: 'to-relay', target };
};

/** @param caller the name of the VM at the other end, as dom0 gives it */
export const classifyCall = (
  context: RelayContext,
  caller: VmName,
  { target, source }: CallRequest,
): ClassifiedCall => {
  if (source !== undefined) return classifyVouched(context, caller, source);
  if (target !== '' && target !== context.self) return classifyOnward(context, caller, target);
  return { kind: 'call', source: caller, via: undefined };
};

/** Classifies a call that came over a link: its source VM, and whether it is for this VM or another. */
import { isDomainMapName, type VmName } from '../config/vm-name.ts';
import type { CallRequest, Refusal } from '../protocol/call.ts';

/** This VM's name, and the configured relay's name, which may be the same. */
type RelayContext = { readonly self: string; readonly relay: VmName | undefined };

type ClassifiedCall =
  /** @property via the relay that vouches for the source; undefined if the source itself made the call */
  | { readonly kind: 'call'; readonly source: VmName; readonly via: VmName | undefined }
  | { readonly kind: 'to-relay'; readonly target: VmName }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const refused = (code: Refusal['code'], text: string): ClassifiedCall => ({
  kind: 'refused',
  refusal: { code, text },
});

/** Classifies a call that the peer makes on behalf of another VM. Only this VM's own relay may do so. */
const classifyVouched = (
  { self, relay }: RelayContext,
  caller: VmName,
  source: string,
): ClassifiedCall => {
  if (caller !== relay) {
    return refused('denied', `${self} does not accept calls relayed by ${caller}`);
  }
  if (!isDomainMapName(source) || source === self || source === caller) {
    return refused(
      'denied',
      'a relayed call must name a source VM other than the relay and the target',
    );
  }
  return { kind: 'call', source, via: caller };
};

/** Classifies a call that the peer asks this VM to pass on to another VM. */
const classifyOnward = (
  { self, relay }: RelayContext,
  caller: VmName,
  target: string,
): ClassifiedCall => {
  if (self !== relay) return refused('unreachable', `${self} is not a relay`);
  if (!isDomainMapName(target)) return refused('unreachable', 'the target is not a valid VM name');
  if (target === caller) return refused('unreachable', 'a VM cannot call itself');
  return { kind: 'to-relay', target };
};

/**
 * Classifies a call by its source and its target.
 * @param caller the peer's name in dom0's domain map
 */
export const classifyCall = (
  context: RelayContext,
  caller: VmName,
  { target, source }: CallRequest,
): ClassifiedCall => {
  if (source !== undefined) return classifyVouched(context, caller, source);
  if (target !== '' && target !== context.self) return classifyOnward(context, caller, target);
  return { kind: 'call', source: caller, via: undefined };
};

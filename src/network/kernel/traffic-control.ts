/** The links on which tc handles arriving packets: it does so before nftables sees them. */
import { Observable } from 'rxjs';
import { CommandError } from '../../system/command.ts';
import { loadNative } from '../../xen/native.ts';

const failed = (error: unknown): CommandError =>
  new CommandError(['netlink', 'RTM_GETQDISC'], (error as Error).message, '');

/**
 * The indices of the links on which tc handles arriving packets: those with an ingress or clsact qdisc, and of
 * the given ones also those with a TCX program. Synchronous, since the kernel answers at once.
 * @throws CommandError if the kernel refuses; a kernel without qdiscs has no such links
 */
export const tcLinks = (indices: readonly number[]): ReadonlySet<number> => {
  const { ingressQdiscs, tcxLinks } = loadNative();
  try {
    return new Set([...ingressQdiscs(), ...tcxLinks(indices)]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EOPNOTSUPP') return new Set();
    throw failed(error);
  }
};

/** Emits after each change by tc. Errors with a CommandError if the kernel refuses to report changes. */
export const watchTrafficControl = (): Observable<void> =>
  new Observable((changes) => {
    const { TrafficControlWatch } = loadNative();
    try {
      const watch = new TrafficControlWatch(() => changes.next());
      return () => watch.close();
    } catch (error) {
      throw failed(error);
    }
  });

/** A mesh in a few words. */
import type { Fault } from '../../host/mesh/fault.ts';
import type { Mesh } from '../../host/mesh/mesh.ts';
import { counted } from '../../text/counted.ts';

export const sizeOf = ({ vms, pairs }: Mesh): string =>
  `${counted(vms.length, 'VM')}, ${counted(pairs.length, 'pair')}`;

export const errorCount = (faults: readonly Fault[]): string =>
  counted(faults.filter(({ is }) => is === 'error').length, 'error');

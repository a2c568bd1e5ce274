/** Short texts about a mesh. */

import type { Mesh } from '../../host/mesh/mesh.ts';
import type { Diagnostic } from '../../text/diagnostic.ts';
import { pluralize } from '../../text/pluralize.ts';

/** Returns "3 VMs, 2 pairs". */
export const sizeOf = ({ vms, pairs }: Mesh): string =>
  `${pluralize(vms.length, 'VM')}, ${pluralize(pairs.length, 'pair')}`;

/** Returns "2 errors"; warnings do not count. */
export const errorCount = (diagnostics: readonly Diagnostic[]): string =>
  pluralize(diagnostics.filter(({ severity }) => severity === 'error').length, 'error');

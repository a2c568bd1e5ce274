/** A mesh in a few words. */

import type { Mesh } from '../../host/mesh/mesh.ts';
import type { Diagnostic } from '../../text/diagnostic.ts';
import { pluralize } from '../../text/pluralize.ts';

export const sizeOf = ({ vms, pairs }: Mesh): string =>
  `${pluralize(vms.length, 'VM')}, ${pluralize(pairs.length, 'pair')}`;

export const errorCount = (diagnostics: readonly Diagnostic[]): string =>
  pluralize(diagnostics.filter(({ severity }) => severity === 'error').length, 'error');

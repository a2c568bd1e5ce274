/** Diagnostics of a mesh. In each text, the advice follows a semicolon. */
import { byText } from '../../text/by-text.ts';
import { type Diagnostic, type Place, placeText } from '../../text/diagnostic.ts';
import { printableLine, quoted } from '../../text/printable.ts';

/** Makes a diagnostic of severity "error". */
export const error = (place: Place, text: string): Diagnostic => ({
  severity: 'error',
  place,
  text,
});

/** True for xl's names of dom0, which cannot be a VM of a mesh. */
export const isDom0 = (name: string | undefined): boolean => name === 'dom0' || name === 'Domain-0';

/** Returns the text for a name that no VM has. */
export const unknownVm = (name: string): string => {
  if (isDom0(name)) return `${name} cannot be a VM of a mesh; remove it`;
  return `there is no VM ${quoted(name)}; add it to mesh.toml or correct the name`;
};

const byNumber = (a: number | undefined, b: number | undefined): number => (a ?? 0) - (b ?? 0);

/** Removes duplicates and sorts by place: first `file`, and then the other files by name. */
export const inOrder = (
  diagnostics: readonly Diagnostic[],
  file: string,
): readonly Diagnostic[] => {
  const key = ({ place }: Diagnostic): string => (place.file === file ? '' : place.file);
  const unique = new Map(diagnostics.map((diagnostic) => [lineOf(diagnostic), diagnostic]));
  return [...unique.values()].sort(
    (a, b) =>
      byText(key(a), key(b)) ||
      byNumber(a.place.line, b.place.line) ||
      byNumber(a.place.column, b.place.column) ||
      byText(a.text, b.text),
  );
};

/** Formats a diagnostic as one line for printing. Names in a text may contain any characters. */
export const lineOf = ({ severity, place, text }: Diagnostic): string =>
  printableLine(`${placeText(place)}: ${severity === 'warning' ? 'warning: ' : ''}${text}`);

/** What a user's xl configuration must not say, because the mesh does. */

import type { Diagnostic } from '../../../text/diagnostic.ts';
import { error } from '../mesh-diagnostic.ts';
import { placeIn, type Sources } from '../sources.ts';
import { parseXlConfig, type Setting } from '../xl-config.ts';

const reserved: ReadonlyMap<string, string> = new Map([
  ['name', 'the mesh adds the name; remove it'],
  ['extra', 'the mesh adds extra; write it into mesh.toml'],
  [
    'cmdline',
    'xl ignores extra, which the mesh adds, beside cmdline; write it as extra into mesh.toml',
  ],
  ['driver_domain', 'the mesh adds driver_domain where it belongs; remove it'],
]);

const objectionTo = ({ key }: Setting): string | undefined => {
  if (!/^vif\d*$/.test(key)) return reserved.get(key);
  return `a vif that the mesh does not add could land in dom0; remove ${key}, and write ip into mesh.toml`;
};

const ofText = (file: string, text: string): readonly Diagnostic[] => {
  const { settings, syntaxError } = parseXlConfig(text);
  const at = (offset: number) => placeIn(file, text, offset);
  return [
    ...settings.flatMap((setting) => {
      const objection = objectionTo(setting);
      return objection === undefined ? [] : [error(at(setting.offset), objection)];
    }),
    ...(syntaxError === undefined
      ? []
      : [error(at(syntaxError.offset), `${syntaxError.text}; correct it`)]),
  ];
};

export const xlConfigDiagnostics = ({ mesh, files }: Sources): readonly Diagnostic[] =>
  [...mesh.vms.values()].flatMap(({ name, config }) => {
    const source = files.get(config);
    if (source === undefined) return [];
    if ('text' in source) return ofText(source.file, source.text);
    const text = `${source.file} ${source.unreadable}; correct the name, or write it`;
    return [error(mesh.at(['vm', name, 'config']), text)];
  });

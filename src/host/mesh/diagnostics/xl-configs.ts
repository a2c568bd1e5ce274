/** Finds settings in the operator's xl configurations that only the mesh may make. */

import { type Diagnostic, positionAt } from '../../../text/diagnostic.ts';
import { error } from '../mesh-diagnostic.ts';
import type { Sources } from '../sources.ts';
import { parseXlConfig, type Setting } from '../xl-config.ts';

const reserved: ReadonlyMap<string, string> = new Map([
  ['name', 'the mesh adds the name; remove it'],
  ['extra', 'the mesh adds extra; move it to mesh.toml'],
  ['cmdline', 'cmdline makes xl ignore extra, which the mesh adds; move it to extra in mesh.toml'],
  ['driver_domain', 'the mesh adds driver_domain where it belongs; remove it'],
]);

const objectionTo = ({ key }: Setting): string | undefined => {
  if (!/^vif\d*$/.test(key)) return reserved.get(key);
  return `only the mesh adds vifs, so that dom0 is never the backend; remove ${key}, and set ip in mesh.toml`;
};

const words = "the mesh's words in extra, which tell the agent its links and its policy";

/** The setting that keeps xl from giving `extra` to the guest's kernel, and the reason. */
const obstacleTo = (settings: readonly Setting[]) => {
  const last = (...keys: string[]): Setting | undefined =>
    settings.findLast(({ key }) => keys.includes(key));
  const hvm = last('type', 'builder');
  if (hvm?.value === 'hvm' && last('kernel') === undefined) {
    const text = `an HVM guest without kernel does not get ${words}; set kernel and ramdisk, or type="pvh"`;
    return { setting: hvm, text };
  }
  const bootloader = last('bootloader');
  if (bootloader === undefined) return undefined;
  const text = `with a bootloader, the guest may not get ${words}; set kernel and ramdisk instead`;
  return { setting: bootloader, text };
};

const ofText = (file: string, text: string): readonly Diagnostic[] => {
  const { settings, syntaxError } = parseXlConfig(text);
  const at = (offset: number) => ({ file, ...positionAt(text, offset) });
  const obstacle = obstacleTo(settings);
  return [
    ...(obstacle === undefined
      ? []
      : [
          {
            severity: 'warning',
            place: at(obstacle.setting.offset),
            text: obstacle.text,
          } as const,
        ]),
    ...settings.flatMap((setting) => {
      const objection = objectionTo(setting);
      return objection === undefined ? [] : [error(at(setting.offset), objection)];
    }),
    ...(syntaxError === undefined
      ? []
      : [error(at(syntaxError.offset), `${syntaxError.text}; correct it`)]),
  ];
};

/** Checks the operator's xl configurations of all VMs. */
export const xlConfigDiagnostics = ({ mesh, files }: Sources): readonly Diagnostic[] =>
  [...mesh.vms.values()].flatMap(({ name, config }) => {
    const source = files.get(config);
    if (source === undefined) return [];
    if (source.kind === 'text') return ofText(source.file, source.text);
    const text = `${source.file} ${source.reason}; correct the name, or create the file`;
    return [error(mesh.at(['vm', name, 'config']), text)];
  });

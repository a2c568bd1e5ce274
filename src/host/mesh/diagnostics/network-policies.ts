/** Finds network policies that net-vm's daemon would refuse. */

import { VifwatchError } from '../../../errors.ts';
import { type PolicyFile, parsePolicyFile } from '../../../network/config/policy-file.ts';
import type { Diagnostic, Place } from '../../../text/diagnostic.ts';
import { quoted } from '../../../text/printable.ts';
import { openCarets } from '../../../toml/locate.ts';
import { error, unknownVm } from '../mesh-diagnostic.ts';
import type { MeshVm } from '../mesh-file.ts';
import type { Sources } from '../sources.ts';

const unknownProfile = (name: string, { profiles }: Sources): string =>
  `unknown profile ${quoted(name)}; known profiles: ${profiles.join(', ')}`;

/** Splits the parser's message, which begins with the place: `file:line:column: text`. */
const ofMessage = (message: string, otherwise: Place): Diagnostic => {
  const firstLine = message.split('\n', 1)[0] ?? '';
  const [, file, line, column, text] = /^(.+?):(\d+):(\d+): (.*)$/.exec(firstLine) ?? [];
  if (file === undefined || text === undefined) return error(otherwise, firstLine);
  return error({ file, line: Number(line), column: Number(column) }, `${text}; correct it`);
};

const ofContent = (
  file: string,
  text: string,
  content: PolicyFile,
  sources: Sources,
): Diagnostic[] => {
  const { profile, rules } = content;
  const caretAt = openCarets(text);
  const diagnostics: Diagnostic[] = [];
  const report = (path: readonly (string | number)[], what: string): void => {
    const { line, column } = caretAt(path);
    diagnostics.push(error({ file, line, column }, what));
  };
  if (profile !== undefined && !sources.profiles.includes(profile)) {
    report(['profile'], unknownProfile(profile, sources));
  }
  for (const [index, { peer, direction }] of rules.entries()) {
    if (peer.kind !== 'vms') continue;
    const key = direction === 'out' ? 'dstvm' : 'srcvm';
    for (const [at, name] of peer.names.entries()) {
      if (!sources.mesh.vms.has(name)) report(['rule', index, key, at], unknownVm(name));
    }
  }
  return diagnostics;
};

const ofRules = (vm: MeshVm, sources: Sources): readonly Diagnostic[] => {
  const source = vm.rules === undefined ? undefined : sources.files.get(vm.rules);
  if (source === undefined) return [];
  const { file } = source;
  if (source.kind === 'unreadable') {
    const at = sources.mesh.at(['vm', vm.name, 'rules']);
    return [error(at, `${file} ${source.reason}; correct the name, or create the file`)];
  }
  try {
    return ofContent(file, source.text, parsePolicyFile(file, source.text), sources);
  } catch (thrown) {
    if (!(thrown instanceof VifwatchError)) throw thrown;
    return [ofMessage(thrown.message, { file, line: 1, column: 1 })];
  }
};

/** Checks the profiles and rules files of all VMs. */
export const networkPolicyDiagnostics = (sources: Sources): readonly Diagnostic[] =>
  [...sources.mesh.vms.values()].flatMap((vm) => {
    const { name, profile } = vm;
    const at = sources.mesh.at(['vm', name, 'profile']);
    const isKnown = profile === undefined || sources.profiles.includes(profile);
    const unknown = isKnown ? [] : [error(at, unknownProfile(profile, sources))];
    return [...unknown, ...ofRules(vm, sources)];
  });

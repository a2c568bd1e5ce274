/** The links that dom0 sets on the kernel's command line: `ipc_serve=a,b ipc_connect=c ipc_relay=d`. */
import { isDomainMapName, type VmName } from './vm-name.ts';

/** The VMs that a VM serves. `everyone`: each VM with a name may request a link. */
type Served = { readonly names: readonly VmName[]; readonly everyone: boolean };

export type LinkConfig = {
  readonly serve: Served;
  readonly connect: readonly VmName[];
  /** The relay for calls to VMs without a link. If it is the VM's own name, the VM itself is the relay. */
  readonly relay: VmName | undefined;
};

const listOf = (commandLine: string, parameter: string): readonly string[] =>
  commandLine
    .split(/\s+/)
    .filter((word) => word.startsWith(`${parameter}=`))
    .flatMap((word) => word.slice(parameter.length + 1).split(','))
    .filter((name) => name !== '');

const namesOf = (parameter: string, texts: readonly string[]): VmName[] =>
  texts.map((text) => {
    if (isDomainMapName(text)) return text;
    throw new Error(`${parameter}: "${text}" is not a valid VM name`);
  });

/**
 * Returns the only name in the list; undefined if the list is empty.
 * @throws Error that names two different names
 */
export const onlyOne = (names: readonly VmName[]): VmName | undefined => {
  const [first, second] = new Set(names);
  if (second === undefined) return first;
  throw new Error(`only one relay is possible, not both "${first}" and "${second}"`);
};

/** The entry in `serve` that stands for every VM. */
export const everyone = '*';

/**
 * Parses the parameters, each of which may occur more than once.
 * @throws Error that names the parameter and the word
 */
export const parseLinkParameters = (commandLine: string): LinkConfig => {
  const serve = listOf(commandLine, 'ipc_serve');
  return {
    serve: {
      names: namesOf(
        'ipc_serve',
        serve.filter((name) => name !== everyone),
      ),
      everyone: serve.includes(everyone),
    },
    connect: namesOf('ipc_connect', listOf(commandLine, 'ipc_connect')),
    relay: onlyOne(namesOf('ipc_relay', listOf(commandLine, 'ipc_relay'))),
  };
};

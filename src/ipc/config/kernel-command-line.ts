/** Who talks to whom, as dom0 says it on the kernel's command line: `ipc_serve=a,b ipc_connect=c ipc_relay=d`. */
import { isDomainMapName, type VmName } from './vm-name.ts';

/** Whose links a VM serves; `everyone` that has a name may ask for one. */
type Served = { readonly names: readonly VmName[]; readonly everyone: boolean };

export type LinkConfig = {
  readonly serve: Served;
  readonly connect: readonly VmName[];
  /** By way of which VM there are calls where there is no link; on that VM itself, that it relays. */
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
    throw new Error(`${parameter}: "${text}" is not the name of a VM`);
  });

/** The one name that all of them are; undefined if there is none. Throws an Error that names two. */
export const onlyOne = (names: readonly VmName[]): VmName | undefined => {
  const [first, second] = new Set(names);
  if (second === undefined) return first;
  throw new Error(`there is one relay, not both "${first}" and "${second}"`);
};

/** What may stand in a list of those who are served. */
export const everyone = '*';

/** Throws an Error that names the parameter and the word. A parameter may be given more than once. */
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

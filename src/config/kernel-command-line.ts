/** Who talks to whom, as dom0 says it on the kernel's command line: `ipc_serve=a,b ipc_connect=c`. */
import { isVmName, type VmName } from './vm-name.ts';

/** Whose links a VM serves; `everyone` that has a name may ask for one. */
type Served = { readonly names: readonly VmName[]; readonly everyone: boolean };

export type Pairs = { readonly serve: Served; readonly connect: readonly VmName[] };

const listOf = (commandLine: string, parameter: string): readonly string[] =>
  commandLine
    .split(/\s+/)
    .filter((word) => word.startsWith(`${parameter}=`))
    .flatMap((word) => word.slice(parameter.length + 1).split(','))
    .filter((name) => name !== '');

const namesOf = (parameter: string, texts: readonly string[]): VmName[] =>
  texts.map((text) => {
    if (isVmName(text)) return text;
    throw new Error(`${parameter}: "${text}" is not the name of a VM`);
  });

/** What may stand in a list of those who are served. */
export const everyone = '*';

/** Throws an Error that names the parameter and the word. A parameter may be given more than once. */
export const pairsOf = (commandLine: string): Pairs => {
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
  };
};

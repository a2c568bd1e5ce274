/** What dom0 tells this VM on its kernel's command line. */

export type KernelParameters = {
  /** Hashes of the policy that it should have; more than one contradict each other. */
  readonly policies: readonly string[];
  /** Whether it says anything of links. */
  readonly isLinked: boolean;
};

const shape = /^(ipc_serve|ipc_connect|ipc_relay|ipc_policy)=(.+)$/s;

/** Of any text. */
export const parseKernelParameters = (commandLine: string): KernelParameters => {
  const parameters = commandLine.split(/\s+/).flatMap((word) => {
    const [, key, value] = shape.exec(word) ?? [];
    return key === undefined || value === undefined ? [] : [{ key, value }];
  });
  const policies = parameters.filter(({ key }) => key === 'ipc_policy').map(({ value }) => value);
  return { policies, isLinked: parameters.length > policies.length };
};

/** The kernel parameters with which dom0 tells this VM its policy hash and its links. */

export type KernelParameters = {
  /** The hash of the policy that this VM should have. Different hashes contradict each other. */
  readonly policies: readonly string[];
  /** True if ipc_serve, ipc_connect or ipc_relay is there. */
  readonly isLinked: boolean;
};

const shape = /^(ipc_serve|ipc_connect|ipc_relay|ipc_policy)=(.+)$/s;

/** Reads the parameters from a kernel command line, and ignores all other words. */
export const parseKernelParameters = (commandLine: string): KernelParameters => {
  const parameters = commandLine.split(/\s+/).flatMap((word) => {
    const [, key, value] = shape.exec(word) ?? [];
    return key === undefined || value === undefined ? [] : [{ key, value }];
  });
  const policies = parameters.filter(({ key }) => key === 'ipc_policy').map(({ value }) => value);
  return { policies, isLinked: parameters.length > policies.length };
};

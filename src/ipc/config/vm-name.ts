/** Names of VMs as they stand in /ipc/domain-map, whose nodes they are: xenstore allows no more characters. */

declare const vmName: unique symbol;
export type VmName = string & { readonly [vmName]: true };

// A name must fit a policy's line, an argument of the kernel and a node; libxl has no limit of its own.
const shape = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

export const isDomainMapName = (text: string): text is VmName => shape.test(text);

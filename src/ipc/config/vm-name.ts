/** VM names in /ipc/domain-map. Each is a node's name, so it has only characters that xenstore allows. */

declare const vmName: unique symbol;
export type VmName = string & { readonly [vmName]: true };

// A name must fit into a policy line, a kernel parameter and a xenstore node. libxl has no limit of its own.
const shape = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** Whether the text is a VM name: up to 63 of A-Z a-z 0-9 _ -, and first a letter or a digit. */
export const isDomainMapName = (text: string): text is VmName => shape.test(text);

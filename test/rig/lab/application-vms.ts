import type { LabVmSpec } from './toolstack.ts';

/**
 * The application VMs that run in the snapshot. Their kernel command lines make four direct pairs;
 * net-vm serves two of them. workload-vm also serves every other VM.
 */
export const applicationVms = [
  { name: 'sa-vm', application: true, options: ['ipc_serve=workload-vm,mgmt-vm'] },
  { name: 'workload-vm', application: true, options: ['ipc_connect=sa-vm,net-vm', 'ipc_serve=*'] },
  { name: 'mgmt-vm', application: true, options: ['ipc_connect=sa-vm,net-vm'] },
] as const satisfies readonly LabVmSpec[];

/** The pairs for which dom0 makes the offer directory; the other servers make their own. */
export const provisionedPairs = [
  { server: 'sa-vm', client: 'workload-vm' },
  { server: 'sa-vm', client: 'mgmt-vm' },
] as const;

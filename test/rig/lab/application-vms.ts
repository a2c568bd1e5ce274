import type { LabVmSpec } from './toolstack.ts';

/**
 * The application VMs that are up in the snapshot. What their kernels' command lines say makes four
 * direct pairs, of which each has both ends told.
 */
export const applicationVms = [
  { name: 'sa-vm', application: true, options: ['ipc_serve=workload-vm,mgmt-vm'] },
  { name: 'workload-vm', application: true, options: ['ipc_connect=sa-vm,net-vm'] },
  { name: 'mgmt-vm', application: true, options: ['ipc_connect=sa-vm,net-vm'] },
] as const satisfies readonly LabVmSpec[];

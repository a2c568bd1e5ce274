import type { LabVmSpec } from './toolstack.ts';

/**
 * The application VMs that are up in the snapshot. What their kernels' command lines say makes four
 * direct pairs, net-vm serving two of them, and lets workload-vm be asked by anybody.
 */
export const applicationVms = [
  { name: 'sa-vm', application: true, options: ['ipc_serve=workload-vm,mgmt-vm'] },
  { name: 'workload-vm', application: true, options: ['ipc_connect=sa-vm,net-vm', 'ipc_serve=*'] },
  { name: 'mgmt-vm', application: true, options: ['ipc_connect=sa-vm,net-vm'] },
] as const satisfies readonly LabVmSpec[];

/** Pairs that find a place made by dom0 when they start; all others make their own. */
export const provisionedPairs = [
  { server: 'sa-vm', client: 'workload-vm' },
  { server: 'sa-vm', client: 'mgmt-vm' },
] as const;

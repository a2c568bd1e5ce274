/** What a scenario may ask of a Xen host, whichever rig plays it: the fast one or real Xen in QEMU. */

/** One vif as an xl configuration would give it: `vif=["ip=…,mac=…,backend=net-vm"]`. */
export type VifSpec = {
  readonly mac: string;
  /** As in xl's `ip=`: addresses and prefixes separated by spaces; absent when dom0 gives none. */
  readonly ip?: string;
};

export type VmSpec = { readonly name: string; readonly vif?: VifSpec };

/** A finished command. */
export type Output = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** How long a toolstack operation took as dom0 saw it, and whether dom0 was content with it. */
export type Toolstack = Output & { readonly seconds: number };

export type Signal = 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGHUP';

export interface Host {
  /** `xl create`, then `/ipc/domain-map/<name>`; resolves with the domid once the guest answers commands. */
  create(vm: VmSpec): Promise<number>;
  /** `xl destroy`. */
  destroy(vm: string): Promise<Toolstack>;
  /** `xl network-attach`; resolves with the devid when dom0 is done (which does not mean connected). */
  attach(vm: string, vif: VifSpec): Promise<number>;
  /** `xl network-detach`. */
  detach(vm: string, devid: number): Promise<Toolstack>;
  /** Runs a command in the VM; no shell is involved. */
  inVm(vm: string, argv: readonly string[]): Promise<Output>;
  /** Sends each Ethernet frame, in hex, once from `eth0` of the VM, past its kernel's own idea of what to send. */
  sendFrames(vm: string, frames: readonly string[]): Promise<void>;
  /** Runs a command in net-vm; `vifwatch` is on its path. */
  inNetVm(argv: readonly string[]): Promise<Output>;
  /** Starts the daemon in net-vm and waits until it is ready. */
  startDaemon(): Promise<void>;
  /** Sends the daemon a signal; with SIGTERM and SIGKILL, resolves when it is gone and stays gone. */
  signalDaemon(signal: Signal): Promise<void>;
  /** Reads a xenstore node as dom0 does; undefined if there is none. */
  read(path: string): Promise<string | undefined>;
  /** How many times longer dom0's programs take than on the idle machine on which promises were measured; at least 1. */
  slowness(): Promise<number>;
  /** The domid of net-vm. */
  readonly netVm: number;
  /** Takes everything down again and leaves nothing behind. */
  close(): Promise<void>;
}

/** The guests' gateway, which lives on net-vm's `lo`. */
export const gateway4 = '10.0.5.1';
export const gateway6 = 'fd00:5::1';
/** A machine beyond net-vm's uplink `eth0`. */
export const outside4 = '192.0.2.1';
export const outside6 = '2001:db8:ff::1';

/** The operations of a Xen host that scenarios use. The fast rig and real Xen in QEMU both implement them. */

/** A vif as in an xl configuration: `vif=["ip=…,mac=…,backend=net-vm"]`. */
export type VifSpec = {
  readonly mac: string;
  /** xl's `ip=`: addresses and prefixes separated by spaces; absent if dom0 gives none. */
  readonly ip?: string;
};

export type VmSpec = { readonly name: string; readonly vif?: VifSpec };

/** The result of a command that has ended. */
export type Output = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** The result of a toolstack operation, and the seconds that it took in dom0. */
export type Toolstack = Output & { readonly seconds: number };

export type Signal = 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGHUP';

export interface Host {
  /** `xl create`, then `/ipc/domain-map/<name>`; resolves with the domid once the guest answers commands. */
  create(vm: VmSpec): Promise<number>;
  /** `xl destroy`. */
  destroy(vm: string): Promise<Toolstack>;
  /** `xl network-attach`; resolves with the devid when xl ends; the vif may not be connected yet. */
  attach(vm: string, vif: VifSpec): Promise<number>;
  /** `xl network-detach`. */
  detach(vm: string, devid: number): Promise<Toolstack>;
  /** Runs a command in the VM; no shell is involved. */
  inVm(vm: string, argv: readonly string[]): Promise<Output>;
  /** Sends each Ethernet frame (hex) once from the VM's `eth0`, through a raw socket. */
  sendFrames(vm: string, frames: readonly string[]): Promise<void>;
  /** Runs a command in net-vm; `vifwatch` is on its path. */
  inNetVm(argv: readonly string[]): Promise<Output>;
  /** Starts the daemon in net-vm and waits until it is ready. */
  startDaemon(): Promise<void>;
  /**
   * Sends the daemon a signal; for SIGTERM and SIGKILL, resolves when the daemon is gone and is not
   * restarted.
   */
  signalDaemon(signal: Signal): Promise<void>;
  /** Reads a xenstore node as dom0; undefined if it does not exist. */
  read(path: string): Promise<string | undefined>;
  /**
   * How much slower dom0's programs run than on the idle machine where promises were measured; at least 1.
   */
  slowness(): Promise<number>;
  /** The domid of net-vm. */
  readonly netVm: number;
  /** Ends the host and removes everything that it made. */
  close(): Promise<void>;
}

/** The guests' gateway, an address on net-vm's `lo`. */
export const gateway4 = '10.0.5.1';
export const gateway6 = 'fd00:5::1';
/** A machine beyond net-vm's uplink `eth0`. */
export const outside4 = '192.0.2.1';
export const outside6 = '2001:db8:ff::1';

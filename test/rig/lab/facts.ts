import type { LabHost } from './lab-host.ts';

/** Measured figures by name; times are in seconds. */
export type Facts = Readonly<Record<string, number>>;

/** Records figures by name. */
export type Stopwatch = {
  note(name: string, seconds: number): void;
  /** Runs `work` and records its seconds, unless it throws. */
  time<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** The median of the records of each name. */
  facts(): Facts;
};

export const openStopwatch = (): Stopwatch => {
  const noted = new Map<string, number[]>();
  const note = (name: string, seconds: number): void => {
    noted.set(name, [...(noted.get(name) ?? []), seconds]);
  };
  return {
    note,
    time: async (name, work) => {
      const began = performance.now();
      const result = await work();
      note(name, (performance.now() - began) / 1000);
      return result;
    },
    facts: () => Object.fromEntries([...noted].map(([name, all]) => [name, rounded(median(all))])),
  };
};

/** Wraps a host so that its operations are timed: xl's operations in dom0, the others from outside. */
export const timed = (host: LabHost, { note, time }: Stopwatch): LabHost => ({
  ...host,
  create: (vm) => time('create_s', () => host.create(vm)),
  attach: (vm, vif) => time('attach_s', () => host.attach(vm, vif)),
  reboot: (vm) => time('reboot_s', () => host.reboot(vm)),
  startDaemon: () => time('daemon_start_s', host.startDaemon),
  destroy: async (vm) => {
    const result = await host.destroy(vm);
    note('destroy_s', result.seconds);
    return result;
  },
  detach: async (vm, devid) => {
    const result = await host.detach(vm, devid);
    note('detach_s', result.seconds);
    return result;
  },
});

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const rounded = (seconds: number): number => Number(seconds.toFixed(2));

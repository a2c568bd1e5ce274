/** Finds processes of a rig. */
import { readdirSync, readFileSync } from 'node:fs';
import { commandLine } from '../rig/process.ts';
import type { Dom0 } from './dom0.ts';

const environmentOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // the process has just ended
  }
};

/** Whether a process of the rig has a command line with this beginning. */
export const isRunning = ({ sim }: Dom0, beginning: string): boolean =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLine(pid).startsWith(beginning))
    .some((pid) => environmentOf(pid).split('\0').includes(`SIMXEN=${sim.directory}`));

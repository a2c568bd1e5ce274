/** Processes by their group, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const stat = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return ''; // it has just ended
  }
};

/** Those that live: one that has ended and waits to be asked for its status does not. */
export const membersOf = (group: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const [, state, , pgrp] = /\) (\S) (\d+) (\d+)/.exec(stat(pid)) ?? [];
      return Number(pgrp) === group && state !== 'Z';
    })
    .map(Number);

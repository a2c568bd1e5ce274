/** The processes of a process group, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const stat = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return ''; // it has just ended
  }
};

type Member = { readonly pid: number; readonly state: string };

const living = (group: number): readonly Member[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const [, state = 'Z', , pgrp] = /\) (\S) (\d+) (\d+)/.exec(stat(pid)) ?? [];
      return Number(pgrp) === group && state !== 'Z' ? [{ pid: Number(pid), state }] : [];
    });

/** The pids of a group's living processes; zombies are left out. */
export const membersOf = (group: number): readonly number[] => living(group).map(({ pid }) => pid);

/** The state letter of each living process in a group, as in proc(5). */
export const statesOf = (group: number): string =>
  living(group)
    .map(({ state }) => state)
    .join('');

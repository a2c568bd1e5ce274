/** Processes by their group, from /proc. */
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

/** Those that live: one that has ended and waits to be asked for its status does not. */
export const membersOf = (group: number): readonly number[] => living(group).map(({ pid }) => pid);

/** A letter for each that lives, as in proc(5). */
export const statesOf = (group: number): string =>
  living(group)
    .map(({ state }) => state)
    .join('');

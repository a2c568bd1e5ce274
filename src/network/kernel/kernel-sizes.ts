/** Reads and sets the sizes of the kernel's tables under /proc/sys/net. */
import { readFileSync, writeFileSync } from 'node:fs';
import { isMissingFile } from '../../system/missing-file.ts';
import type { KernelSizes } from '../plan/kernel-sizes.ts';

const pathOf = (setting: string): string => `/proc/sys/net/${setting}`;

/** The value; undefined if the kernel has no such setting here. */
const sizeOf = (setting: string): number | undefined => {
  try {
    return Number(readFileSync(pathOf(setting), 'latin1'));
  } catch (error) {
    if (isMissingFile(error)) return undefined;
    throw error;
  }
};

/** A setting that cannot be written: outside the initial network namespace, some belong to the host. */
type Unmet = { readonly setting: string; readonly value: number; readonly wanted: number };

const isMet = (setting: string, isEnough: (value: number) => boolean): boolean => {
  const value = sizeOf(setting);
  return value === undefined || isEnough(value);
};

/** Writes the value; whether the kernel took it. */
const write = (setting: string, value: number): boolean => {
  try {
    writeFileSync(pathOf(setting), `${value}`);
    return true;
  } catch {
    return false;
  }
};

/** Sets what is too small or different, and returns what the kernel did not let it set. */
export const setKernelSizes = ({ atLeast, exactly }: KernelSizes): readonly Unmet[] => {
  const lacking = [
    ...Object.entries(atLeast).filter(([setting, least]) => !isMet(setting, (v) => v >= least)),
    ...Object.entries(exactly).filter(([setting, value]) => !isMet(setting, (v) => v === value)),
  ];
  return lacking.flatMap(([setting, wanted]) =>
    write(setting, wanted) ? [] : [{ setting, value: sizeOf(setting) ?? 0, wanted }],
  );
};

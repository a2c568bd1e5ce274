/** A run of random inputs can be repeated: VIFWATCH_SEED is the seed that an earlier run printed. */
import { randomInt } from 'node:crypto';

export const seed = Number(process.env['VIFWATCH_SEED'] ?? randomInt(2 ** 31));

/** The seed of random inputs. VIFWATCH_SEED repeats a run whose seed was printed. */
import { randomInt } from 'node:crypto';

export const seed = Number(process.env['VIFWATCH_SEED'] ?? randomInt(2 ** 31));

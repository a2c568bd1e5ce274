/** Panic mode: separate tables drop all packets from and to vifs, in any state of the other tables. */
import { panicFile } from '../../package.ts';
import { run } from '../../system/command.ts';
import { list } from './nft.ts';

/**
 * Starts panic mode. Once it resolves, nothing comes from or goes to a vif.
 * @throws CommandError
 */
export const panic = async (): Promise<void> => {
  await run(['nft', '-f', panicFile]);
};

/**
 * Ends panic mode; succeeds also if panic mode is not in force.
 * @throws CommandError
 */
export const resume = async (): Promise<void> => {
  // Each table is added first, since nft refuses to delete a table that does not exist.
  const commands = ['inet', 'arp'].flatMap((family) =>
    ['add', 'delete'].map((verb) => `${verb} table ${family} vifwatch_panic`),
  );
  await run(['nft', commands.join('; ')]);
};

/**
 * Whether panic mode is in force.
 * @throws CommandError
 */
export const isPanic = async (): Promise<boolean> =>
  (await list(['nft', '-t', 'list', 'table', 'inet', 'vifwatch_panic'])) !== undefined;

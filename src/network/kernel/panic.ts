/** The tables that close everything, whatever state the rest is in. */
import { panicFile } from '../../package.ts';
import { run } from '../../system/command.ts';
import { list } from './nft.ts';

/** When this returns, nothing comes from or goes to a vif; throws CommandError. */
export const panic = async (): Promise<void> => {
  await run(['nft', '-f', panicFile]);
};

/** Also if there is nothing to undo; throws CommandError. */
export const resume = async (): Promise<void> => {
  // Added first, since to delete what is not there would be an error.
  const commands = ['inet', 'arp'].flatMap((family) =>
    ['add', 'delete'].map((verb) => `${verb} table ${family} vifwatch_panic`),
  );
  await run(['nft', commands.join('; ')]);
};

/** Whether `panic` is in force; throws CommandError. */
export const isPanic = async (): Promise<boolean> =>
  (await list(['nft', '-t', 'list', 'table', 'inet', 'vifwatch_panic'])) !== undefined;

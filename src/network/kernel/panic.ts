/**
 * Panic mode: separate tables drop all packets from and to vifs, in any state of the other tables, and all vifs
 * are down. Packets of a vif that another program has put into a bridge, or that tc redirects, pass no table.
 */
import { panicFile } from '../../package.ts';
import { CommandError, run } from '../../system/command.ts';
import { isVifName } from '../state/kernel-state.ts';
import { downLine } from '../text/ip-batch.ts';
import { openIpBatches } from './iproute.ts';
import { linkNames } from './link-names.ts';
import { list } from './nft.ts';

const setVifsDown = async (): Promise<void> => {
  const vifs = [...linkNames()].filter(isVifName);
  const batches = openIpBatches();
  const { failed, gaveUp } = await batches.run(vifs.map(downLine)).finally(batches.close);
  const left = linkNames();
  const refused = failed.find(({ line }) => vifs.some((v) => line === downLine(v) && left.has(v)));
  const reason = gaveUp ?? refused?.message;
  if (reason !== undefined)
    throw new CommandError(['ip', '-batch', '-'], reason, 'the tables of panic mode stand');
};

/**
 * Starts panic mode. Once it resolves, nothing comes from or goes to a vif.
 * @throws CommandError if nft fails, or if ip fails after that: then the tables stand, but a vif may be up
 */
export const panic = async (): Promise<void> => {
  await run(['nft', '-f', panicFile]);
  await setVifsDown();
};

/**
 * Ends panic mode; succeeds also if panic mode is not in force. The daemon then sets the vifs up.
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

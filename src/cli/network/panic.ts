/** `vifwatch panic` and `vifwatch resume`: nft alone, so that they work whatever state the daemon is in. */
import { panic, resume } from '../../network/kernel/panic.ts';

/** Closes everything at once; throws CommandError. */
export const closeAll = async (): Promise<void> => {
  await panic();
  process.stdout.write('nothing comes from or goes to any vif, until "vifwatch resume"\n');
};

/** Undoes it; throws CommandError. */
export const reopen = async (): Promise<void> => {
  await resume();
  process.stdout.write('vifs have what their rules allow\n');
};

/**
 * `vifwatch panic` and `vifwatch resume`: they need only nft, so they also work while the daemon hangs or is
 * down.
 */
import { panic, resume } from '../../network/kernel/panic.ts';

/** Drops all packets from and to all vifs at once. @throws CommandError if nft fails */
export const closeAll = async (): Promise<number> => {
  await panic();
  process.stdout.write('all packets from and to all vifs are dropped until "vifwatch resume"\n');
  return 0;
};

/** Ends panic mode; also succeeds if it is off. @throws CommandError if nft fails */
export const reopen = async (): Promise<number> => {
  await resume();
  process.stdout.write('panic mode is off: the policies apply again\n');
  return 0;
};

/**
 * `vifwatch panic` and `vifwatch resume`: they need only nft and ip, so they also work while the daemon hangs
 * or is down.
 */
import { panic, resume } from '../../network/kernel/panic.ts';

/** Drops all packets from and to all vifs, and sets all vifs down. @throws CommandError if nft or ip fails */
export const closeAll = async (): Promise<number> => {
  await panic();
  process.stdout.write(
    'all vifs are down, and all their packets are dropped, until "vifwatch resume"\n',
  );
  return 0;
};

/** Ends panic mode; also succeeds if it is off. @throws CommandError if nft fails */
export const reopen = async (): Promise<number> => {
  await resume();
  process.stdout.write(
    'panic mode is off: the daemon sets the vifs up, and the policies apply again\n',
  );
  return 0;
};

/** `vifwatch export`: what stands in the kernel, not what should. */
import { exportJson, exportText, sortElements } from '../core/export.ts';
import { additions } from '../core/nft-json.ts';
import { run } from '../net/command.ts';
import { openNft } from '../net/nft.ts';
import { baseFile } from '../package.ts';

const tables = ['inet', 'arp', 'netdev'] as const;

/** Prints the ruleset and returns the exit status. */
export const exportRules = async (json: boolean): Promise<number> => {
  const firewall = await openNft([baseFile], '/nonexistent').observe();
  if (firewall === undefined) {
    process.stderr.write('vifwatch: our tables are not in the kernel: is vifwatch running?\n');
    return 1;
  }
  const flags = json ? ['-j', '-s', '-t'] : ['-s', '-t'];
  const listings = await Promise.all(
    tables.map((family) => run(['nft', ...flags, 'list', 'table', family, 'vifwatch'])),
  );
  const sorted = sortElements(firewall.elements.values());
  process.stdout.write(
    json
      ? exportJson(listings, additions({ elements: sorted, chains: [], replaced: [] }))
      : exportText(listings, sorted),
  );
  return 0;
};

/** `vifwatch export`: prints the rules that are in the kernel, even if they differ from the desired ones. */
import { defaultLinkOf, type LinkName } from '../../address/link-name.ts';
import { isProblem } from '../../errors.ts';
import { openNft } from '../../network/kernel/nft.ts';
import { openBackend } from '../../network/store/backend.ts';
import { ownersOf } from '../../network/text/element-owner.ts';
import { additions } from '../../network/text/nft-json.ts';
import { rulesetJson, rulesetText, sortElements } from '../../network/text/ruleset-text.ts';
import { interpret } from '../../network/vif/backend-vif.ts';
import { staticRulesetFile } from '../../package.ts';
import { run } from '../../system/command.ts';
import { connect } from '../../xen/connect.ts';
import { printError } from '../print-error.ts';

const tables = ['inet', 'arp', 'netdev'] as const;

/** VM names by link. @throws VifwatchError XENSTORE_UNAVAILABLE */
const vmsByLink = async (): Promise<ReadonlyMap<LinkName, string>> => {
  const { store, domid: own } = await connect();
  const backend = openBackend(store, own);
  try {
    const [{ names }, keys] = await Promise.all([backend.names([]), backend.keys()]);
    const records = await Promise.all(keys.map((key) => backend.read(key)));
    return new Map(
      records.flatMap((record): [LinkName, string][] => {
        if (record === undefined) return [];
        const { domid, facts } = interpret(record);
        const link = isProblem(facts) ? defaultLinkOf(record) : facts.link;
        return [[link, names.get(domid) ?? `domain ${domid}`]];
      }),
    );
  } finally {
    store.close();
  }
};

/** The export works without xenstore, then without VM names. */
const unnamed = (error: unknown): ReadonlyMap<LinkName, string> => {
  printError(`the export omits VM names: ${(error as Error).message}`);
  return new Map();
};

/** Prints the ruleset. @param json prints JSON, else nft text @returns the exit status */
export const exportRules = async ({ json }: { readonly json?: true }): Promise<number> => {
  const firewall = await openNft([staticRulesetFile]).observe();
  if (firewall === undefined) {
    printError('the vifwatch tables are not in the kernel: is vifwatch running?');
    return 1;
  }
  const flags = json ? ['-j', '-s', '-t'] : ['-s', '-t'];
  const listings = await Promise.all(
    tables.map((family) => run(['nft', ...flags, 'list', 'table', family, 'vifwatch'])),
  );
  const sorted = sortElements(firewall.elements.values());
  if (json) {
    const transaction = additions({ elements: sorted, chains: [], replaced: [] });
    process.stdout.write(rulesetJson(listings, transaction));
  } else {
    const vms = await vmsByLink().catch(unnamed);
    process.stdout.write(rulesetText(listings, sorted, ownersOf(sorted, vms)));
  }
  return 0;
};

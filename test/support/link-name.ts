/** Names of links for tests. */
import { isLinkName, type LinkName } from '../../src/address/link-name.ts';

export const linkNameOf = (text: string): LinkName => {
  if (!isLinkName(text)) throw new Error(`"${text}" is not a link's name`);
  return text;
};

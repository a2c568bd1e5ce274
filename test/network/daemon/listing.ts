/** Listings of nft without what changes with each packet. */

const ofPackets =
  /(\t\tflags dynamic(?:,timeout)?\n(?:\t\ttimeout \w+\n)?)\t\telements = \{[^}]*\}\n/g;

/** The listing without the elements that packets have made: what each link has used of its share. */
export const withoutUse = (listing: string): string => listing.replaceAll(ofPackets, '$1');

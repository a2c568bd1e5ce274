/** The protocol's fixed numbers. They are not negotiated: vifwatch-protocol(7) defines them for both ends. */

/** The versions that this side supports; vifwatch-protocol(7) describes each. */
export const leastVersion = 1;
export const greatestVersion = 2;

/** The first version that has VOUCH, a call on behalf of another VM. */
export const vouchingVersion = 2;

export const headerBytes = 8;

/** The greatest payload in bytes. A frame takes at most a quarter of a 64 KiB ring. */
export const maxPayload = 16_384 - headerBytes;

/** The most streams that one side may have opened and not released. */
export const maxStreams = 1024;

/** The bytes per channel that need no CREDIT: at most 1024 streams × 4 KiB = 4 MiB in total. */
export const initialWindow = 4096;

/** The greatest window in bytes. It is four full rings; a larger one brings no more speed. */
export const maxWindow = 256 * 1024;

/** The most bytes that all windows of a link may grow by together: enough for 16 streams at full speed. */
export const growthBudget = 4 * 1024 * 1024;

/**
 * Below this number of unwritten bytes in the transport, one more frame may follow: 64 KiB in all, as in a
 * ring.
 */
export const transportBacklog = 64 * 1024 - 16_384;

/** The greatest length of a name: a DNS label's limit, and twice the usual length of Xen VM names. */
export const maxName = 63;

/**
 * The greatest length of an argument: "service+argument" must be a file name, and 63 + 1 + 191 = NAME_MAX.
 */
export const maxArgument = 191;

/** The greatest length of the text in REFUSE and GOODBYE. */
export const maxText = 200;

/**
 * 1 GiB/s in frames of 16 KiB is 65 536 frames per second, plus a few CREDITs. The limit is three times that.
 */
export const framesPerSecond = 200_000;

/** The frames of a quarter of a second, which may come at once. */
export const frameBurst = 50_000;

/** The interval of PINGs. */
export const pingMs = 2000;

/** A peer counts as hung after this number of `pingMs` intervals without any data: 6 s. */
export const silentPings = 3;

/** The longest time that a GOODBYE may wait for a peer that does not read. */
export const goodbyeMs = 1000;

/** The protocol's fixed numbers. None is negotiated: both ends know them from vifwatch-protocol(7). */

/** From which to which version this side speaks; what each adds is in vifwatch-protocol(7). */
export const leastVersion = 1;
export const greatestVersion = 2;

/** The first one in which a call can be made on behalf of another VM. */
export const vouchingVersion = 2;

export const headerBytes = 8;

/** A frame is at most a quarter of a 64 KiB ring, so that one never fills it alone. */
export const maxPayload = 16_384 - headerBytes;

/** Streams that one side may have opened and not released. */
export const maxStreams = 1024;

/** What may be sent at once, without asking: 1024 streams × 4 KiB = 4 MiB at worst. */
export const initialWindow = 4096;

/** Beyond this a stream gains nothing: it is four full rings. */
export const maxWindow = 256 * 1024;

/** What all windows of a link may grow by together: 16 streams at full speed. */
export const growthBudget = 4 * 1024 * 1024;

/** Handed to the transport and not yet taken: as much as a ring holds. A full frame may be added to what is below. */
export const transportBacklog = 64 * 1024 - 16_384;

/** DNS's length of a label, twice Xen's usual VM names. */
export const maxName = 63;

/** "service+argument" has to be a file name: 63 + 1 + 191 = NAME_MAX. */
export const maxArgument = 191;

/** Of refusals and goodbyes. */
export const maxText = 200;

/** Frames of 16 KiB at 1 GiB/s are 65 536 in a second, with their credits hardly more: thrice that is no honest peer. */
export const framesPerSecond = 200_000;

/** A quarter of a second's worth: a burst is no flood. */
export const frameBurst = 50_000;

export const pingMs = 2000;

/** Intervals of pingMs in which nothing at all came, until the peer counts as hung: 6 s. */
export const silentPings = 3;

/** How long a goodbye may wait for a peer that does not read. */
export const goodbyeMs = 1000;

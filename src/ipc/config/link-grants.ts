/** The grants that a link takes from the VM that serves it. */

/**
 * Two rings of 64 KiB, their control page, and one more page while the VM offers the link or is connected.
 */
export const pagesPerLink = 34;

/**
 * The default of xen_gntalloc.limit in Linux (drivers/xen/gntalloc.c), in pages, for all programs of a VM.
 */
export const defaultGrantLimit = 1024;

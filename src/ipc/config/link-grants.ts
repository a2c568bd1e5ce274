/** What a link takes of the grants of the VM that serves it. */

/** Two rings of 64 KiB, their control page, and one more while it offers or is connected. */
export const pagesPerLink = 34;

/** xen_gntalloc.limit of Linux (drivers/xen/gntalloc.c), in pages, for all programs of a VM. */
export const defaultGrantLimit = 1024;

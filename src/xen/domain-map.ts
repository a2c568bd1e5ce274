/** The directory where dom0 maps VM names to domids. */
export const domainMap = '/ipc/domain-map';

/** The path of the control socket. It has its own file, so that `status` need not load the server. */
export const controlSocket = (directory: string): string => `${directory}/vifwatch.sock`;

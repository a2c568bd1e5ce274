/** The path of the control socket; apart from the server, so that `status` loads no more than it needs. */
export const controlSocket = (directory: string): string => `${directory}/vifwatch.sock`;

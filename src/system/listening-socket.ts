/** A unix socket that appears all at once: who can see it can connect, if the permissions let him. */
import { chmod, chown, rename, rm } from 'node:fs/promises';
import type { Server } from 'node:net';

/** A path, or a name in the abstract namespace after a NUL. Rejects with what the system says. */
export const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });

/**
 * Listens at `path`, in the place of whatever is left there by another. It is root's, and the group's.
 * Rejects with what the system says.
 */
export const listenAt = async (server: Server, path: string, gid = 0): Promise<void> => {
  const unready = `${path}.new`;
  await rm(unready, { force: true });
  await listen(server, unready);
  await chown(unready, process.geteuid?.() ?? 0, gid);
  await chmod(unready, 0o660);
  await rename(unready, path);
};

/** Unix sockets that appear in one step: a client that sees the path can connect, if it has permission. */
import { chmod, chown, rename, rm } from 'node:fs/promises';
import type { Server } from 'node:net';

/** Listens at a path. Rejects with the error of the system. */
export const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });

/**
 * Listens at `path`, and replaces the socket that an earlier process left there. The socket belongs to our
 * user and to the group `gid`, with mode 0660. Rejects with the system's error.
 */
export const listenAt = async (server: Server, path: string, gid = 0): Promise<void> => {
  const unready = `${path}.new`;
  await rm(unready, { force: true });
  await listen(server, unready);
  await chown(unready, process.geteuid?.() ?? 0, gid);
  await chmod(unready, 0o660);
  await rename(unready, path);
};

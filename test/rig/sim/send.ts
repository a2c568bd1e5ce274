/** Raw frames, for which Node has no sockets and Python has. */
import type { Rig } from './rig.ts';

const program = `
import socket, sys
link, *frames = sys.argv[1:]
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((link, 0))
for frame in frames:
    out.send(bytes.fromhex(frame))
`;

/** Sends each frame, in hex, once from `eth0` of a namespace. Throws if its link does not take them. */
export const sendFrom = async (
  rig: Rig,
  namespace: string,
  frames: readonly string[],
): Promise<void> => {
  const argv = rig.inNamespace(namespace, ['python3', '-c', program, 'eth0', ...frames]);
  const { status, stderr } = await rig.run(argv, { domid: 0 });
  if (status !== 0) throw new Error(stderr);
};

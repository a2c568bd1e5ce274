/** Sends raw frames with Python, because Node has no raw sockets. */
import type { Rig } from './rig.ts';

const program = `
import socket, sys
link, *frames = sys.argv[1:]
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((link, 0))
for frame in frames:
    out.send(bytes.fromhex(frame))
`;

/** Sends each frame (hex) once from `eth0` of a namespace. @throws Error if the link does not accept them */
export const sendFrom = async (
  rig: Rig,
  namespace: string,
  frames: readonly string[],
): Promise<void> => {
  const argv = rig.inNamespace(namespace, ['python3', '-c', program, 'eth0', ...frames]);
  const { status, stderr } = await rig.run(argv, { domid: 0 });
  if (status !== 0) throw new Error(stderr);
};

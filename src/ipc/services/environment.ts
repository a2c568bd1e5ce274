/** All that a service is given by environment; nothing of ours is inherited. */
import type { User } from './passwd.ts';
import type { ServiceCall } from './services.ts';

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** As qrexec has it, which writes the "+" also where no argument follows. */
export const fullName = ({ request }: ServiceCall): string =>
  `${request.service}+${request.argument}`;

/** The names are qrexec's, so that Qubes' services run as they are. */
export const environmentOf = (call: ServiceCall, user: User): Record<string, string> => ({
  PATH: searchPath,
  HOME: user.home,
  USER: user.name,
  LOGNAME: user.name,
  SHELL: user.shell,
  QREXEC_REMOTE_DOMAIN: call.source,
  QREXEC_SERVICE_FULL_NAME: fullName(call),
  QREXEC_SERVICE_ARGUMENT: call.request.argument,
  // Not qrexec's: that the caller's name is a relay's word, and whose.
  ...(call.via === undefined ? {} : { VIFWATCH_VIA: call.via }),
});

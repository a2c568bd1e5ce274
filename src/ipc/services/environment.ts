/** A service's environment. It inherits nothing from the agent. */
import type { User } from './passwd.ts';
import type { ServiceCall } from './services.ts';

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The service's full name as in qrexec, with a "+" even if no argument follows. */
export const fullName = ({ request }: ServiceCall): string =>
  `${request.service}+${request.argument}`;

/** Builds the environment. The names are qrexec's, so that Qubes services run unchanged. */
export const environmentOf = (call: ServiceCall, user: User): Record<string, string> => ({
  PATH: searchPath,
  HOME: user.home,
  USER: user.name,
  LOGNAME: user.name,
  SHELL: user.shell,
  QREXEC_REMOTE_DOMAIN: call.source,
  QREXEC_SERVICE_FULL_NAME: fullName(call),
  QREXEC_SERVICE_ARGUMENT: call.request.argument,
  // Not in qrexec: the relay that vouches for the caller's name.
  ...(call.via === undefined ? {} : { VIFWATCH_VIA: call.via }),
});

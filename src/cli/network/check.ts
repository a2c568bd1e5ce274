/**
 * `vifwatch check`: checks the configuration and the machine. Each line is one result; a failure names its
 * remedy.
 */

import { access, readFile } from 'node:fs/promises';
import { netVmPrograms, type RequiredProgram } from '../../host/image/programs.ts';
import { loadConfig, policyDirectory } from '../../network/config/config.ts';
import { inspectPolicies } from '../../network/config/policies.ts';
import { settingsProblem } from '../../network/kernel/sysctl.ts';
import { staticRulesetFile } from '../../package.ts';
import { run } from '../../system/command.ts';
import { addon, type CheckResult, probe, report, xenstore } from '../check-result.ts';

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

const binary = ({ name, argument, packages }: RequiredProgram): Promise<CheckResult> =>
  probe(name, `install ${packages}`, async () => firstLine(await run([name, argument])));

/** /sys/module lists loaded modules, and built-in modules that have parameters; netback has parameters. */
const netback = () =>
  probe('xen-netback', 'modprobe xen-netback, or build it into the kernel', async () => {
    await access('/sys/module/xen_netback');
    return 'loaded';
  });

const forwarding = () =>
  probe('ip_forward', '', async () => {
    const value = (await readFile('/proc/sys/net/ipv4/ip_forward', 'latin1')).trim();
    return value === '1'
      ? 'on'
      : 'off: "vifwatch run" switches it on after it has loaded the firewall';
  });

const settings = () =>
  probe('settings', '', async () => {
    const problem = settingsProblem();
    if (problem !== undefined) throw new Error(problem);
    return 'none keeps guests from the gateway';
  });

const checks = (config: string): Promise<CheckResult>[] => [
  probe('config', '', async () => {
    const { uplinks, gateways } = await loadConfig(config);
    const absence = await access(config).then(
      () => '',
      () => `${config} does not exist; `,
    );
    const from = uplinks === undefined ? 'every interface' : uplinks.join(' ');
    const by = gateways.map(({ text }) => text).join(' ') || 'none';
    return `${absence}uplinks: ${from}, gateways: ${by}`;
  }),
  probe('policies', '', () => inspectPolicies(policyDirectory(config))),
  ...netVmPrograms.map(binary),
  probe(
    'firewall',
    'as root: modprobe -a nf_tables nft_ct nft_fib_inet nft_limit nft_log nft_connlimit nf_log_syslog nf_conntrack',
    async () => {
      await run(['nft', '-c', '-f', staticRulesetFile]);
      return `nft accepts ${staticRulesetFile}`;
    },
  ),
  addon(),
  netback(),
  xenstore(),
  forwarding(),
  settings(),
];

/** Prints one line per check. @returns the exit status: 0 if all checks pass, else 1 */
export const check = (config: string): Promise<number> => report(checks(config));

/** The command line: `vifwatch run|status|export|check|panic|resume`. */
import { Command, CommanderError, Option } from 'commander';
import { VifwatchError } from './core/problem.ts';
import { version } from './package.ts';

type Globals = { readonly config: string; readonly runtime: string };

const program = new Command('vifwatch')
  .exitOverride()
  .description('Serves the vifs of a Xen driver domain: routes, neighbours and firewall.')
  .version(version)
  .option('--config <file>', 'configuration', '/etc/vifwatch/vifwatch.toml')
  .option('--runtime <dir>', 'where the control socket is', '/run/vifwatch')
  .addOption(new Option('--debug', 'log more').hideHelp());

const globals = (): Globals & { readonly debug?: true } => program.opts();

program
  .command('run')
  .description('the daemon, in the foreground; logs NDJSON to standard output')
  .action(async () => {
    const { run } = await import('./cli/run.ts');
    process.exitCode = await run(globals());
  });

program
  .command('status')
  .description('the vifs and routes; exits 0 if healthy, 1 if not, 69 if no daemon runs')
  .option('--json', 'the document instead of a table')
  .action(async ({ json }: { json?: true }) => {
    const { status } = await import('./cli/status.ts');
    process.exitCode = await status(globals(), json === true);
  });

program
  .command('export')
  .description("vifwatch's ruleset as it stands in the kernel, as nft text")
  .option('--json', "as nft's JSON instead")
  .action(async ({ json }: { json?: true }) => {
    const { exportRules } = await import('./cli/export.ts');
    process.exitCode = await exportRules(json === true);
  });

program
  .command('check')
  .description('checks the configuration and the machine, a line each; exits 0 if all is well')
  .action(async () => {
    const { check } = await import('./cli/check.ts');
    process.exitCode = await check(globals());
  });

program
  .command('panic')
  .description('closes every vif at once, with or without a daemon, until "vifwatch resume"')
  .action(async () => {
    const { closeAll } = await import('./cli/panic.ts');
    await closeAll();
  });

program
  .command('resume')
  .description('undoes "vifwatch panic"')
  .action(async () => {
    const { reopen } = await import('./cli/panic.ts');
    await reopen();
  });

/** EX_USAGE, EX_CONFIG and EX_SOFTWARE of sysexits.h; 1 and 69 are answers of `status`. */
const exitCodeOf = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
  return error instanceof VifwatchError && error.code === 'CONFIG_INVALID' ? 78 : 70;
};

const complain = (error: unknown): void => {
  // commander has said already what it had to say.
  if (error instanceof CommanderError) return;
  const code = error instanceof VifwatchError ? `${error.code}: ` : '';
  process.stderr.write(`vifwatch: ${code}${error instanceof Error ? error.message : error}\n`);
};

try {
  await program.parseAsync();
} catch (error) {
  complain(error);
  process.exitCode = exitCodeOf(error);
}

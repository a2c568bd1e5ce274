/** The command line. */
import { dirname, join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { EvalOptions } from './cli/ipc/policy-eval.ts';
import type { ExplainOptions } from './cli/ipc/policy-explain.ts';
import { VifwatchError } from './errors.ts';
import { version } from './package.ts';

type Globals = { readonly config: string; readonly runtime: string };

const program = new Command('vifwatch')
  .exitOverride()
  .description('Keeps dom0 out of the network and of calls between VMs, on bare Xen.')
  .version(version)
  .option('--config <file>', 'configuration', '/etc/vifwatch/vifwatch.toml')
  .option('--runtime <dir>', 'where the control socket is', '/run/vifwatch')
  .addOption(new Option('--debug', 'log more').hideHelp());

const policyDirectory = (): string => join(dirname(globals().config), 'policy.d');

type RootOption = { readonly root?: string };

const rootOption = (): Option =>
  new Option('--root <dir>', 'of the root file system in this directory, before it is an image');

const globals = (): Globals & { readonly debug?: true } => program.opts();

program
  .command('run')
  .description('the daemon, in the foreground; logs NDJSON to standard output')
  .action(async () => {
    const { runNetwork } = await import('./cli/network/run.ts');
    process.exitCode = await runNetwork(globals());
  });

program
  .command('status')
  .description('the vifs and routes; exits 0 if healthy, 1 if not, 69 if no daemon runs')
  .option('--json', 'the document instead of a table')
  .action(async ({ json }: { json?: true }) => {
    const { status } = await import('./cli/network/status.ts');
    process.exitCode = await status(globals(), json === true);
  });

program
  .command('export')
  .description("vifwatch's ruleset as it stands in the kernel, as nft text")
  .option('--json', "as nft's JSON instead")
  .action(async ({ json }: { json?: true }) => {
    const { exportRules } = await import('./cli/network/export.ts');
    process.exitCode = await exportRules(json === true);
  });

program
  .command('check')
  .description('checks the configuration and the machine, a line each; exits 0 if all is well')
  .addOption(rootOption())
  .action(async ({ root }: RootOption) => {
    if (root !== undefined) {
      const { checkNetVmRoot } = await import('./cli/host/check-root.ts');
      process.exitCode = await checkNetVmRoot(root, globals().config);
      return;
    }
    const { check } = await import('./cli/network/check.ts');
    process.exitCode = await check(globals());
  });

program
  .command('audit')
  .description('whether dom0 is out of this VM, by what is there; exits 0 if it is, 1 if not')
  .option('--json', 'the findings as a document instead of a table')
  .action(async ({ json }: { json?: true }) => {
    const { audit } = await import('./cli/host/audit.ts');
    // An agent that does not answer would keep the process alive.
    process.exit(await audit(globals(), json === true));
  });

program
  .command('panic')
  .description('closes every vif at once, with or without a daemon, until "vifwatch resume"')
  .action(async () => {
    const { closeAll } = await import('./cli/network/panic.ts');
    await closeAll();
  });

program
  .command('resume')
  .description('undoes "vifwatch panic"')
  .action(async () => {
    const { reopen } = await import('./cli/network/panic.ts');
    await reopen();
  });

const agent = program
  .command('agent')
  .description('the agent of this VM, in the foreground; logs NDJSON to standard output')
  .action(async () => {
    const { agent } = await import('./cli/ipc/agent.ts');
    process.exitCode = await agent(globals());
  });

agent
  .command('check')
  .description('checks what the agent needs, a line each; exits 0 if all is well')
  .addOption(rootOption())
  .action(async ({ root }: RootOption) => {
    if (root !== undefined) {
      const { checkAgentRoot } = await import('./cli/host/check-root.ts');
      process.exitCode = await checkAgentRoot(root, globals().config);
      return;
    }
    const { agentCheck } = await import('./cli/ipc/agent-check.ts');
    process.exitCode = await agentCheck(globals());
  });

/** What a timer can be set to. */
const maxSeconds = 2_000_000;

const seconds = (text: string): number => {
  const value = Number(text);
  if (value > 0 && value <= maxSeconds) return value;
  throw new InvalidArgumentError(`a number of seconds up to ${maxSeconds}.`);
};

program
  .command('call')
  .description("a service of another VM, with this command's standard input, output and error")
  .argument('<vm>', 'as /ipc/domain-map names it')
  .argument('<service[+argument]>')
  .argument('[program...]', 'after "--": talks to the service instead')
  .option('--timeout <seconds>', 'cancels the call after that', seconds)
  .action(
    async (vm: string, service: string, local: string[], { timeout }: { timeout?: number }) => {
      const { call } = await import('./cli/ipc/call.ts');
      const { runtime } = globals();
      // What is left to read from a terminal or pipe would keep the process alive.
      process.exit(await call(vm, service, { runtime, timeout, program: local }));
    },
  );

program
  .command('peers')
  .description('the links with other VMs; exits 0 if all are up, 1 if not, 69 if no agent runs')
  .option('--json', 'the document instead of a table')
  .action(async ({ json }: { json?: true }) => {
    const { peers } = await import('./cli/ipc/peers.ts');
    process.exitCode = await peers(globals().runtime, json === true);
  });

const policy = program.command('policy').description('which calls this VM lets others make to it');

policy
  .command('check')
  .description('all that is wrong with the policy files; exits 0 if nothing is, warnings aside')
  .argument('[dir]', 'where they are, if not beside the configuration in policy.d')
  .action(async (dir?: string) => {
    const { checkPolicy } = await import('./cli/ipc/policy-check.ts');
    process.exitCode = await checkPolicy(dir ?? policyDirectory());
  });

policy
  .command('explain')
  .description('what would be decided, and why; exits 0 if the call is allowed, 1 if not')
  .argument('<source>', 'the VM that calls')
  .argument('<service>', 'what it calls: SERVICE or SERVICE+ARGUMENT')
  .option('--dir <dir>', 'where the policy files are')
  .option('--self <name>', 'the VM that is called, instead of this one')
  .option('--relayed', 'the call comes by way of a relay')
  .action(async (source: string, call: string, options: Partial<ExplainOptions>) => {
    const { explainPolicy } = await import('./cli/ipc/policy-explain.ts');
    const dir = policyDirectory();
    process.exitCode = await explainPolicy(source, call, { dir, ...options });
  });

policy
  .command('eval')
  .description('reads requests as NDJSON from standard input and writes a verdict for each')
  .requiredOption('--dir <dir>', 'where the policy files are')
  .requiredOption('--self <name>', 'the VM that is called')
  .action(async (options: EvalOptions) => {
    const { evaluatePolicy } = await import('./cli/ipc/policy-eval.ts');
    process.exitCode = await evaluatePolicy(options);
  });

const mesh = program.command('mesh').description('a whole host from one file');

mesh
  .command('compile')
  .description("writes dom0's scripts and xl configurations and the VMs' own files, or nothing")
  .argument('<mesh.toml>')
  .requiredOption('-o, --output <dir>', 'where they go; what an earlier compile left there goes')
  .action(async (file: string, { output }: { output: string }) => {
    const { compile } = await import('./cli/host/mesh-compile.ts');
    await compile(file, output);
  });

mesh
  .command('check')
  .description('all that is wrong with it, a line each; exits 0 if nothing is, warnings aside')
  .argument('<mesh.toml>')
  .action(async (file: string) => {
    const { checkFile } = await import('./cli/host/mesh-check.ts');
    await checkFile(file);
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

/**
 * The exit statuses of commands that need no rig; each line has the status, the error code if any, and the
 * command line.
 */
import { execa } from 'execa';
import { test } from 'vitest';
import { directoryWith } from '../support/directory.ts';
import { expectGolden, main } from './golden.ts';

const directory = directoryWith({
  'etc/vifwatch.toml': '',
  'etc/agent.toml': '',
  'bad/vifwatch.toml': 'uplinks = []\n',
  'bad/agent.toml': 'serves = []\n',
  'policy.d/1.policy': '* * web sa-vm allow\n',
  'warned.d/1.policy': '* * web sa-vm ask\n',
  'bad.d/1.policy': 'nonsense\n',
  'mesh.toml': '[vm.a]\nconfig = "a.cfg"\n',
  'bad-mesh.toml': '[vm.a]\nconfig = "none"\n',
  'a.cfg': 'memory = 256\n',
  'file/in/the/way': '',
});

const request = '{"source":"web","service":"sign","argument":""}\n';

/** The error code on stderr or in the last log line. */
const codeOf = (stdout: string, stderr: string): string =>
  /^vifwatch: ([A-Z_]+): /m.exec(stderr)?.[1] ?? /"code":"([A-Z_]+)"/.exec(stdout)?.[1] ?? '-';

/**
 * Runs each command line as on a machine without xenstored and other programs, so it cannot change this
 * machine. Words are split at spaces.
 */
const statusesOf = (lines: readonly string[], input = ''): Promise<readonly string[]> =>
  Promise.all(
    lines.map(async (line) => {
      const args = line.split(' ').filter((word) => word !== '');
      const { exitCode, stdout, stderr } = await execa(
        process.execPath,
        [main, '--runtime', `${directory}/run`, ...args],
        {
          cwd: directory,
          extendEnv: false,
          env: { PATH: '/nonexistent', XENSTORED_PATH: '/nonexistent' },
          reject: false,
          input,
        },
      );
      return `${exitCode} ${codeOf(stdout, stderr)} vifwatch ${line}`.trimEnd();
    }),
  );

test('help and version exit with 0, a wrong command line exits with 64', async () => {
  const commands = [
    ...['run', 'status', 'export', 'check', 'audit', 'panic', 'resume', 'peers'],
    ...['agent', 'agent check', 'call', 'policy', 'policy check', 'policy explain', 'policy eval'],
    ...['mesh', 'mesh compile', 'mesh check'],
  ];
  const lines = [
    ...['--version', '--help', '', 'frobnicate', '--frobnicate', 'run now', 'agent frobnicate'],
    ...commands.map((command) => `${command} --help`),
    ...commands.map((command) => `${command} --frobnicate`),
    ...['policy', 'policy explain', 'policy explain web', 'policy eval', 'policy eval --dir x'],
    ...['mesh', 'mesh check', 'mesh compile', 'mesh compile mesh.toml', 'call', 'call sa-vm'],
    ...['call --timeout 0 sa-vm sign', 'call --timeout x sa-vm sign'],
    ...['call --timeout 2000001 sa-vm sign'],
  ];
  await expectGolden('exit-usage', await statusesOf(lines));
});

test('a bad configuration exits with 78, and with 1 or 69 in commands that only inspect', async () => {
  const lines = [
    ...['--config bad/vifwatch.toml run', '--config bad/vifwatch.toml agent'],
    ...['--config bad/vifwatch.toml status', '--config bad/vifwatch.toml check'],
    ...['--config bad/vifwatch.toml agent check', '--config bad/vifwatch.toml audit'],
    ...['mesh check bad-mesh.toml', 'mesh compile bad-mesh.toml -o out', 'mesh check none.toml'],
  ];
  await expectGolden('exit-config', await statusesOf(lines));
});

test('without xenstored, daemon, agent and nft, each command has its fixed exit status', async () => {
  const commands = [
    ...['run', 'status', 'status --json', 'export', 'export --json', 'check', 'audit'],
    ...['audit --json', 'panic', 'resume', 'peers', 'peers --json', 'agent', 'agent check'],
    ...['call sa-vm sign', 'check --root none', 'agent check --root none'],
  ];
  const lines = commands.map((command) => `--config etc/vifwatch.toml ${command}`);
  await expectGolden('exit-alone', await statusesOf(lines));
});

test('commands that judge a call policy exit with 0 or 1', async () => {
  const lines = [
    ...['policy check policy.d', 'policy check warned.d', 'policy check bad.d'],
    ...['policy check none', 'policy explain --dir policy.d --self sa-vm web sign'],
    ...['policy explain --dir policy.d --self sa-vm mail sign'],
    ...['policy explain --dir none --self sa-vm web sign'],
    ...['policy explain --dir bad.d --self sa-vm web sign'],
    ...['policy eval --dir policy.d --self sa-vm', 'policy eval --dir bad.d --self sa-vm'],
    ...['policy eval --dir none --self sa-vm'],
  ];
  const noRequest = await statusesOf(['policy eval --dir policy.d --self sa-vm'], 'nonsense\n');
  await expectGolden('exit-policy', [
    ...(await statusesOf(lines, request)),
    '# with a request that is none',
    ...noRequest,
  ]);
});

test('a good mesh exits with 0, an output that cannot be written exits with 78', async () => {
  const lines = [
    ...['mesh check mesh.toml', 'mesh compile mesh.toml -o out'],
    ...['mesh compile mesh.toml -o file/in/the/way', 'mesh compile mesh.toml -o .'],
  ];
  await expectGolden('exit-mesh', await statusesOf(lines));
});

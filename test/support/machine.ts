/** The parts of the machine's state that a test run could change or leave behind, except processes. */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { execa } from 'execa';
import { isRunning } from '../rig/sim/rig-directory.ts';

/** A fact in words, and its value, which may be empty. */
type Fact = [what: string, value: string];
export type Facts = ReadonlyMap<string, string>;

/**
 * The kernel changes the first setting by itself. The others are deprecated: the kernel logs each use of
 * them.
 */
const unreadSettings = [/^kernel\/ns_last_pid$/, /\/neigh\/.*\/(base_reachable|retrans)_time$/];

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return 'not readable'; // it has no value, or has just been removed
  }
};

const entriesOf = (directory: string): readonly Dirent[] => {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
};

const isReadAndWritten = (path: string): boolean => {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & 0o222) !== 0 && (mode & 0o444) !== 0;
};

const root = '/proc/sys/';

const settingsBelow = (directory: string): Fact[] =>
  entriesOf(root + directory).flatMap((entry): Fact[] => {
    const name = `${directory}${entry.name}`;
    if (entry.isDirectory()) return settingsBelow(`${name}/`);
    if (unreadSettings.some((pattern) => pattern.test(name)) || !isReadAndWritten(root + name))
      return [];
    return [[`setting ${name}`, textOf(root + name)]];
  });

/** Directories where our programs and Xen's programs make files. */
const places = ['/tmp', '/dev/shm', '/run', '/var/lib', '/var/log'];

/** The process id in the name of a rig's directory or of a temporary directory. */
const ownerOf = (name: string): number | undefined => {
  const [, pid] = /\.(\d+)\.\w+$/.exec(name) ?? [];
  return pid === undefined ? undefined : Number(pid);
};

const filesOfOurs = (isOurs: (pid: number) => boolean): Fact[] =>
  places.flatMap((place) =>
    entriesOf(place)
      .filter(({ name }) => /^(vifwatch|simxen|xen)/.test(name))
      .filter(({ name }) => {
        const owner = ownerOf(name);
        return owner === undefined || !isRunning(owner) || isOurs(owner);
      })
      .map(({ name }): Fact => [`file ${place}/${name}`, '']),
  );

/** The parts of programs' output that change by themselves. */
const volatile = /\bvalid_lft \S+ preferred_lft \S+|\bexpires \S+/g;

const linesOf = async (what: string, argv: readonly string[]): Promise<Fact[]> => {
  const [file = '', ...args] = argv;
  const { stdout = '', stderr = '' } = await execa(file, args, { reject: false });
  const lines = `${stdout}\n${stderr}`.replaceAll(volatile, '').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => [`${what} ${line.trim()}`, '']);
};

/** The lines of vifwatch's rules in the kernel's log; tests must not write any. */
const logged = async (): Promise<Fact[]> => {
  const lines = await linesOf('log', ['dmesg']);
  return lines.filter(([line]) => line.includes('vifwatch '));
};

/** The nft tables, without counter values. */
const tables = async (): Promise<Fact[]> => {
  const { stdout = '', stderr = '' } = await execa('nft', ['-s', 'list', 'ruleset'], {
    reject: false,
  });
  return `${stdout}\n${stderr}`
    .split(/^(?=\S)(?!})/m)
    .filter((part) => part.trim() !== '')
    .map((part) => [part.split(' {', 1)[0]?.trim() ?? '', part]);
};

const namespaces = (): Fact[] =>
  entriesOf('/run/netns').map(({ name }): Fact => [`network namespace ${name}`, '']);

/** Mount points with their file systems; a namespace that exists without a process is a mount, too. */
const mounts = (): Fact[] =>
  textOf('/proc/self/mountinfo')
    .split('\n')
    .map((line) => {
      const [, , , , point = ''] = line.split(' ');
      return [`mount ${point}`, line.split(' - ')[1] ?? ''];
    });

/**
 * Observes the machine.
 * @param isOurs whether a process belongs to this run; files of other live processes are left out
 */
export const observeMachine = async (isOurs: (pid: number) => boolean): Promise<Facts> => {
  const printed = await Promise.all([
    linesOf('link', ['ip', '-o', 'link']),
    linesOf('address', ['ip', '-o', 'address']),
    linesOf('route', ['ip', 'route', 'show', 'table', 'all']),
    linesOf('route', ['ip', '-6', 'route', 'show', 'table', 'all']),
    linesOf('rule', ['ip', 'rule']),
    linesOf('rule', ['ip', '-6', 'rule']),
    logged(),
    tables(),
  ]);
  const files = filesOfOurs(isOurs);
  return new Map([...printed, namespaces(), mounts(), files, settingsBelow('')].flat());
};

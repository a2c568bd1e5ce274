/** What of the machine a test run could change or leave behind, apart from processes. */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { execa } from 'execa';
import { isRunning } from '../rig/sim/rig-directory.ts';

/** What there is, in words, and its value, which is empty where it has none. */
type Fact = [what: string, value: string];
export type Facts = ReadonlyMap<string, string>;

/** The kernel changes the first by itself. It complains in its log of each use of the others, which have successors. */
const unreadSettings = [/^kernel\/ns_last_pid$/, /\/neigh\/.*\/(base_reachable|retrans)_time$/];

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return 'not readable'; // it is not set, or has just gone
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
    if (unreadSettings.some((one) => one.test(name)) || !isReadAndWritten(root + name)) return [];
    return [[`setting ${name}`, textOf(root + name)]];
  });

/** Where programs of ours, and Xen's, make files of which others might take notice. */
const places = ['/tmp', '/dev/shm', '/run', '/var/lib', '/var/log'];

/** The process that a name tells of, as those of rigs and of temporary directories do. */
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

/** What changes by itself in what programs print. */
const volatile = /\bvalid_lft \S+ preferred_lft \S+|\bexpires \S+/g;

const linesOf = async (what: string, argv: readonly string[]): Promise<Fact[]> => {
  const [file = '', ...args] = argv;
  const { stdout = '', stderr = '' } = await execa(file, args, { reject: false });
  const lines = `${stdout}\n${stderr}`.replaceAll(volatile, '').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => [`${what} ${line.trim()}`, '']);
};

/** What nftables' "log" has said to the kernel, which it must not do for a test. */
const logged = async (): Promise<Fact[]> => {
  const lines = await linesOf('log', ['dmesg']);
  return lines.filter(([line]) => line.includes('vifwatch '));
};

/** A table at a time, without what it has counted. */
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

/** Mount points and what is mounted there; a namespace that is kept without a process is such a mount, too. */
const mounts = (): Fact[] =>
  textOf('/proc/self/mountinfo')
    .split('\n')
    .map((line) => {
      const [, , , , point = ''] = line.split(' ');
      return [`mount ${point}`, line.split(' - ')[1] ?? ''];
    });

/** @param isOurs whether a process is of this run; what live processes of others have made is left out */
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

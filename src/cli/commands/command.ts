/** A command in the table: its parameters, its effect, and its texts in help, completions and manual pages. */
import { type GlobalName, type GlobalValues, globalOptions } from './global-options.ts';
import type { Arguments, Options, Values } from './parameter.ts';

type ManualPage =
  | 'vifwatch(8)'
  | 'vifwatch-agent(8)'
  | 'vifwatch-policy(5)'
  | 'vifwatch-mesh(5)'
  | 'vifwatch-audit(8)';

/** A command line and its effect. */
type Example = readonly [line: string, effect: string];

/** A status or a range of statuses, and its meaning. */
type ExitStatus = readonly [status: number | string, meaning: string];

type Described = {
  /** The words after "vifwatch". */
  readonly path: readonly [string, ...string[]];
  /** An imperative without a full stop. */
  readonly summary: string;
  readonly manual: ManualPage;
};

/** A first word that is not a command itself and only has commands below it. */
export type Group = Described;

type Explained = Described & {
  /** Sentences that help adds to the summary. */
  readonly details?: string;
  /** All statuses except that of a wrong command line, which every command has. */
  readonly exitStatuses: readonly ExitStatus[];
  readonly examples: readonly [Example, Example, ...Example[]];
  /** True if the process must exit when the command ends, although open handles would keep it alive. */
  readonly endsProcess?: true;
  /** True if the command itself handles a standard output that cannot be written. */
  readonly heedsOutput?: true;
};

/** A command with any parameters. */
export type Command = Explained & {
  readonly arguments: Arguments;
  readonly options: Options;
  /** The global options that the command uses. */
  readonly globals: readonly GlobalName[];
  /** Takes the values of arguments, options and global options by their names. Returns the exit status. */
  readonly run: (values: never) => Promise<number>;
};

type Definition<A extends Arguments, O extends Options, G extends GlobalName> = Explained & {
  readonly arguments?: A;
  readonly options?: O;
  readonly globals?: readonly G[];
  readonly run: (values: Values<A> & Values<O> & Pick<GlobalValues, G>) => Promise<number>;
};

type None = Record<never, never>;

/** Builds a command; the compiler checks the parameter of `run` against the command's parameters. */
export const command = <
  A extends Arguments = None,
  O extends Options = None,
  G extends GlobalName = never,
>(
  definition: Definition<A, O, G>,
): Command => ({ arguments: {}, options: {}, globals: [], ...definition });

/** The options that help shows. */
export const visible = (options: Options): Options =>
  Object.fromEntries(Object.entries(options).filter(([, option]) => !('hidden' in option)));

/** The visible options that a command uses: its own first, then the global ones. */
export const heededOptions = ({ options, globals }: Command): Options => {
  const heeded = globals.map((name) => [name, globalOptions[name]] as const);
  return visible({ ...options, ...Object.fromEntries(heeded) });
};

/** All commands, and the groups that are not commands themselves. */
export type CommandTable = {
  readonly commands: readonly Command[];
  readonly groups: readonly Group[];
};

/** Options and arguments of commands. The types of their values follow from them. */
import { InvalidArgumentError } from 'commander';

/** The completions that a shell offers for a value. A list contains all possible values. */
type Completion = 'file' | 'directory' | 'program' | 'nothing' | readonly string[];

/** The value of an option or an argument. */
export type Value<T = unknown> = {
  /** The value's name in help and manual pages, in lower case; `name[+suffix]` if a part is optional. */
  readonly name: string;
  readonly completion: Completion;
  /** @throws InvalidArgumentError */
  readonly parse: (text: string) => T;
};

/** An option without a value. */
type Flag = { readonly kind: 'flag'; readonly summary: string; readonly hidden?: true };

/** An option or an argument with a value. */
type Valued<Kind extends string, T> = {
  readonly kind: Kind;
  readonly summary: string;
  readonly value: Value<T>;
};

/** An option that the command line must contain. */
type Required<T> = Valued<'required', T> & { readonly letter?: string };

/** An option with a default. */
type Preset<T> = Valued<'preset', T> & { readonly preset: T };

/** An option; its key in a record is its long name. */
export type Option = Flag | Valued<'optional', unknown> | Required<unknown> | Preset<unknown>;

/** An argument; `rest` takes all words after "--". */
export type Argument =
  | Valued<'required', unknown>
  | Valued<'optional', unknown>
  | Valued<'rest', unknown>;

/** The arguments by their names, in the order of the command line. */
export type Arguments = Readonly<Record<string, Argument>>;

export type Options = Readonly<Record<string, Option>>;

type ValueOf<P> = P extends Flag
  ? true
  : P extends Valued<'rest', infer T>
    ? readonly T[]
    : P extends Valued<string, infer T>
      ? T
      : never;

type KeysOfKind<P, Kind> = {
  [K in keyof P]: P[K] extends { readonly kind: Kind } ? K : never;
}[keyof P];

/** The values of these options or arguments. A value that may be absent is an optional field. */
export type Values<P extends Options | Arguments> = {
  readonly [K in KeysOfKind<P, 'required' | 'preset' | 'rest'>]: ValueOf<P[K]>;
} & {
  readonly [K in KeysOfKind<P, 'flag' | 'optional'>]?: ValueOf<P[K]>;
};

export const flag = (summary: string): Flag => ({ kind: 'flag', summary });

export const hiddenFlag = (summary: string): Flag => ({ kind: 'flag', summary, hidden: true });

export const optional = <T>(value: Value<T>, summary: string): Valued<'optional', T> => ({
  kind: 'optional',
  summary,
  value,
});

export const required = <T>(value: Value<T>, summary: string): Valued<'required', T> => ({
  kind: 'required',
  summary,
  value,
});

/** A required option that also has a letter. */
export const requiredLetter = <T>(
  letter: string,
  value: Value<T>,
  summary: string,
): Required<T> => ({ ...required(value, summary), letter });

export const preset = <T>(value: Value<T>, byDefault: T, summary: string): Preset<T> => ({
  kind: 'preset',
  summary,
  value,
  preset: byDefault,
});

export const rest = <T>(value: Value<T>, summary: string): Valued<'rest', T> => ({
  kind: 'rest',
  summary,
  value,
});

const asItIs = (text: string): string => text;

export const file: Value<string> = { name: 'file', completion: 'file', parse: asItIs };

export const directory: Value<string> = { name: 'dir', completion: 'directory', parse: asItIs };

/** A program or one of its arguments. */
export const program: Value<string> = { name: 'program', completion: 'program', parse: asItIs };

/** Text that a shell cannot complete. */
export const text = (name: string): Value<string> => ({
  name,
  completion: 'nothing',
  parse: asItIs,
});

/** A round number below setTimeout's limit of 2^31 ms. */
const maxSeconds = 2_000_000;

export const seconds: Value<number> = {
  name: 'seconds',
  completion: 'nothing',
  parse: (given) => {
    const value = Number(given);
    if (value > 0 && value <= maxSeconds) return value;
    throw new InvalidArgumentError(`It must be a number of seconds above 0, up to ${maxSeconds}.`);
  },
};

/** A value that must be one of the words. */
export const choice = <const T extends string>(name: string, words: readonly T[]): Value<T> => ({
  name,
  completion: words,
  parse: (given) => {
    const found = words.find((word) => word === given);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
  },
});

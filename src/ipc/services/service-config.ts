/** /etc/vifwatch/services.d: how a service is to be run, one TOML file each. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { parseStrict } from '../../toml/strict-toml.ts';
import { firstPresent, requireTrust, type ServiceFile } from './find-service.ts';
import { RefusedError } from './refused-error.ts';

// 2 147 483 s are what a timer of Node's can wait for.
const seconds = v.pipe(
  v.number(),
  v.gtValue(0, 'must be more than 0 seconds'),
  v.maxValue(2_147_483, 'is longer than 24 days'),
);

const schema = v.strictObject({
  /** By name, from /etc/passwd; the policy's `user=` goes before it. */
  user: v.optional(v.pipe(v.string(), v.minLength(1, 'is empty'))),
  'max-runtime': v.optional(seconds),
  /** Without a byte in any direction. */
  'idle-timeout': v.optional(seconds),
  /** Of the calls that the file rules, from all peers. */
  'max-concurrent': v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  'exit-on-client-eof': v.optional(v.boolean()),
  'exit-on-service-eof': v.optional(v.boolean()),
  'skip-service-descriptor': v.optional(v.boolean()),
});

export type ServiceConfig = Readonly<v.InferOutput<typeof schema>> & {
  /** Undefined if there is no file, and all is by default. */
  readonly file: string | undefined;
};

const onlyFor = {
  executable: ['user'],
  socket: ['exit-on-client-eof', 'exit-on-service-eof', 'skip-service-descriptor'],
} satisfies Record<ServiceFile['kind'], readonly (keyof ServiceConfig)[]>;

const parse = (file: string): ServiceConfig => {
  try {
    requireTrust(file);
    return { file, ...parseStrict(file, readFileSync(file, 'utf8'), schema) };
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    const { message } = error as Error;
    throw new RefusedError('failed', message.split('\n', 1)[0] ?? '');
  }
};

/**
 * The first file there is rules alone: nothing is merged. Read anew for each call, so that a change needs no reload.
 * Throws RefusedError with file, line and column.
 */
export const loadServiceConfig = (
  directory: string,
  names: readonly string[],
  kind: ServiceFile['kind'],
): ServiceConfig => {
  const file = firstPresent(
    directory,
    names.map((name) => `${name}.toml`),
    'configuration',
  );
  if (file === undefined) return { file };
  const config = parse(file);
  const other = kind === 'socket' ? 'executable' : 'socket';
  const misplaced = onlyFor[other].find((key) => config[key] !== undefined);
  if (misplaced === undefined) return config;
  const article = other === 'socket' ? 'a' : 'an';
  throw new RefusedError(
    'failed',
    `${file}: "${misplaced}" is for a service that is ${article} ${other}, which this one is not`,
  );
};

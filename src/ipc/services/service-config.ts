/** The services' configuration in /etc/vifwatch/services.d: one TOML file per service. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { parseStrict } from '../../toml/strict-toml.ts';
import { firstPresent, requireTrust, type ServiceFile } from './find-service.ts';
import { RefusedError } from './refused-error.ts';

// A Node timer can wait for at most 2 147 483 s.
const seconds = v.pipe(
  v.number(),
  v.gtValue(0, 'must be more than 0 seconds'),
  v.maxValue(2_147_483, 'is longer than 24 days'),
);

const schema = v.strictObject({
  /** A name from /etc/passwd. The policy's `user=` overrides it. */
  user: v.optional(v.pipe(v.string(), v.minLength(1, 'is empty'))),
  'max-runtime': v.optional(seconds),
  /** The longest time without a byte in either direction, in seconds. */
  'idle-timeout': v.optional(seconds),
  /** The most calls at a time under this file, from all peers. */
  'max-concurrent': v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  'exit-on-client-eof': v.optional(v.boolean()),
  'exit-on-service-eof': v.optional(v.boolean()),
  'skip-service-descriptor': v.optional(v.boolean()),
});

export type ServiceConfig = Readonly<v.InferOutput<typeof schema>> & {
  /** Undefined if there is no file, and all settings have their defaults. */
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
 * Reads the first file that exists; files are not merged. It is read for each call, so a change needs no
 * reload.
 * @throws RefusedError with file, line and column
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
  const article = kind === 'socket' ? 'a' : 'an';
  throw new RefusedError(
    'failed',
    `${file}: "${misplaced}" is only for ${other} services; this service is ${article} ${kind}`,
  );
};

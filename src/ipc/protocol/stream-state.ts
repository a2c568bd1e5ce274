/** What the other end may say on a stream, and when. The rest closes the link. */
import { Violation } from './close-reason.ts';
import type { FrameName } from './frame.ts';

type Table<State extends string, Name extends FrameName> = Readonly<
  Record<State, Readonly<Partial<Record<Name, State | 'gone'>>>>
>;

type FromCaller = 'open' | 'vouch' | 'stdin' | 'credit' | 'stop' | 'cancel' | 'release';
type FromTarget = 'refuse' | 'stdout' | 'stderr' | 'credit' | 'stop' | 'exit';

/**
 * A stream at its target. What ends it is what the target sends: until the caller's release,
 * frames that were under way then are tolerated.
 */
export type TargetState = 'unopened' | 'open' | 'cancelled' | 'ended' | 'spent';

const fromCaller: Table<TargetState, FromCaller> = {
  unopened: { open: 'open', vouch: 'open' },
  open: { stdin: 'open', credit: 'open', stop: 'open', cancel: 'cancelled' },
  cancelled: {},
  ended: { stdin: 'ended', credit: 'ended', stop: 'ended', cancel: 'spent', release: 'gone' },
  spent: { release: 'gone' },
};

/** After the target has sent its refusal or exit. */
export const endedTarget: Readonly<Record<'open' | 'cancelled', TargetState>> = {
  open: 'ended',
  cancelled: 'spent',
};

/** A stream at its caller. An exit in `answered` needs the end of both outputs before it. */
export type CallerState = 'opened' | 'answered' | 'cancelled' | 'cancelledAnswered';

/** An output is an answer; to take or not to take what the caller sends is none. */
const output = <State>(before: State, after: State) =>
  ({ stdout: after, stderr: after, credit: before, stop: before }) as const;

const fromTarget: Table<CallerState, FromTarget> = {
  opened: { ...output('opened', 'answered'), refuse: 'gone' },
  answered: { ...output('answered', 'answered'), exit: 'gone' },
  cancelled: { ...output('cancelled', 'cancelledAnswered'), refuse: 'gone', exit: 'gone' },
  cancelledAnswered: { ...output('cancelledAnswered', 'cancelledAnswered'), exit: 'gone' },
};

/** After the caller has cancelled. */
export const cancelledCaller: Readonly<Record<CallerState, CallerState>> = {
  opened: 'cancelled',
  answered: 'cancelledAnswered',
  cancelled: 'cancelled',
  cancelledAnswered: 'cancelledAnswered',
};

const callersFrames: ReadonlySet<FrameName> = new Set<FromCaller>([
  'open',
  'vouch',
  'stdin',
  'credit',
  'stop',
  'cancel',
  'release',
]);
const targetsFrames: ReadonlySet<FrameName> = new Set<FromTarget>([
  'refuse',
  'stdout',
  'stderr',
  'credit',
  'stop',
  'exit',
]);

const isFromCaller = (name: FrameName): name is FromCaller => callersFrames.has(name);
const isFromTarget = (name: FrameName): name is FromTarget => targetsFrames.has(name);

/** The target's state after a frame of the caller. Throws a Violation. */
export const afterCaller = (state: TargetState, name: FrameName): TargetState | 'gone' => {
  if (!isFromCaller(name)) throw new Violation('direction', `${name} from the caller`);
  const next = fromCaller[state][name];
  if (next === undefined) throw new Violation('state', `${name} on a stream that is ${state}`);
  return next;
};

/** The caller's state after a frame of the target. Throws a Violation. */
export const afterTarget = (state: CallerState, name: FrameName): CallerState | 'gone' => {
  if (!isFromTarget(name)) throw new Violation('direction', `${name} from the target`);
  const next = fromTarget[state][name];
  if (next === undefined) throw new Violation('state', `${name} on a stream that is ${state}`);
  return next;
};

/** The frames that the other end may send in each state of a stream. Any other frame closes the link. */
import { Violation } from './close-reason.ts';
import type { FrameName } from './frame.ts';

type Table<State extends string, Name extends FrameName> = Readonly<
  Record<State, Readonly<Partial<Record<Name, State | 'gone'>>>>
>;

type FromCaller = 'open' | 'vouch' | 'stdin' | 'credit' | 'stop' | 'cancel' | 'release';
type FromTarget = 'refuse' | 'stdout' | 'stderr' | 'credit' | 'stop' | 'exit';

/**
 * A stream's states at its target. The target's REFUSE or EXIT ends the stream. Until the caller's RELEASE,
 * frames that the caller sent before it knew of the end are ignored.
 */
export type TargetState = 'unopened' | 'open' | 'cancelled' | 'ended' | 'spent';

const fromCaller: Table<TargetState, FromCaller> = {
  unopened: { open: 'open', vouch: 'open' },
  open: { stdin: 'open', credit: 'open', stop: 'open', cancel: 'cancelled' },
  cancelled: {},
  ended: { stdin: 'ended', credit: 'ended', stop: 'ended', cancel: 'spent', release: 'gone' },
  spent: { release: 'gone' },
};

/** The state after the target has sent REFUSE or EXIT. */
export const endedTarget: Readonly<Record<'open' | 'cancelled', TargetState>> = {
  open: 'ended',
  cancelled: 'spent',
};

/** A stream's states at its caller. In `answered`, EXIT may come only after both outputs have ended. */
export type CallerState = 'opened' | 'answered' | 'cancelled' | 'cancelledAnswered';

/** STDOUT and STDERR count as an answer; CREDIT and STOP for stdin do not. */
const output = <State>(before: State, after: State) =>
  ({ stdout: after, stderr: after, credit: before, stop: before }) as const;

const fromTarget: Table<CallerState, FromTarget> = {
  opened: { ...output('opened', 'answered'), refuse: 'gone' },
  answered: { ...output('answered', 'answered'), exit: 'gone' },
  cancelled: { ...output('cancelled', 'cancelledAnswered'), refuse: 'gone', exit: 'gone' },
  cancelledAnswered: { ...output('cancelledAnswered', 'cancelledAnswered'), exit: 'gone' },
};

/** The state after the caller has cancelled. */
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

/**
 * The target's state after a frame of the caller.
 * @throws Violation if the frame is illegal in this state
 */
export const afterCaller = (state: TargetState, name: FrameName): TargetState | 'gone' => {
  if (!isFromCaller(name)) throw new Violation('direction', `${name} from the caller`);
  const next = fromCaller[state][name];
  if (next === undefined) throw new Violation('state', `${name} on a stream that is ${state}`);
  return next;
};

/**
 * The caller's state after a frame of the target.
 * @throws Violation if the frame is illegal in this state
 */
export const afterTarget = (state: CallerState, name: FrameName): CallerState | 'gone' => {
  if (!isFromTarget(name)) throw new Violation('direction', `${name} from the target`);
  const next = fromTarget[state][name];
  if (next === undefined) throw new Violation('state', `${name} on a stream that is ${state}`);
  return next;
};

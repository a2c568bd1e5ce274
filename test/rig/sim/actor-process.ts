/** Runs the actors in a separate process, so that they do not delay a process that measures the daemon. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Subject } from 'rxjs';
import { type ActorEvent, type ActorOptions, type Actors, startActors } from './actors.ts';
import { type Rig, rigAt } from './rig.ts';

type Setup = ActorOptions & { readonly directory: string; readonly holder: number };
type Call = {
  readonly id: number;
  readonly name: 'deferVifs' | 'release' | 'boot' | 'pause' | 'stop';
  readonly guest: number;
};
/** A message to the owner: an event, or the id of a finished call; id 0 is the start. */
type Message = { readonly event: ActorEvent } | { readonly done: number };

const serve = async (setup: Setup): Promise<void> => {
  const send = (message: Message): void => {
    process.send?.(message);
  };
  const actors = await startActors(rigAt(setup.directory, setup.holder), setup);
  actors.events.subscribe((event) => send({ event }));
  process.on('message', async ({ id, name, guest }: Call) => {
    await actors[name](guest);
    send({ done: id });
  });
  send({ done: 0 });
};

const makeCall = (child: ChildProcess, done: Subject<number>) => {
  let lastId = 0;
  return (name: Call['name'], guest = 0): Promise<void> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      const call: Call = { id: lastId, name, guest };
      const subscription = done.subscribe({
        next: (id) => {
          if (id !== call.id) return;
          subscription.unsubscribe();
          resolve();
        },
        error: reject,
      });
      child.send(call);
    });
};

/** Like `startActors`, in a separate process. */
export const startActorProcess = async (rig: Rig, options: ActorOptions): Promise<Actors> => {
  const setup: Setup = { ...options, directory: rig.directory, holder: rig.holder };
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(setup)], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...rig.env({ domid: 0 }) },
  });
  const events = new Subject<ActorEvent>();
  const done = new Subject<number>();
  child.on('message', (message: Message) => {
    if ('event' in message) events.next(message.event);
    else done.next(message.done);
  });
  child.once('exit', () => done.error(new Error('the actors have ended')));
  const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (typeof first !== 'object') throw new Error('the actors could not be started');
  const call = makeCall(child, done);
  return {
    events,
    deferVifs: () => call('deferVifs'),
    release: () => call('release'),
    boot: (guest) => call('boot', guest),
    pause: (guest) => call('pause', guest),
    stop: async () => {
      await call('stop');
      child.disconnect();
      await once(child, 'exit');
    },
  };
};

const [, , setup] = process.argv;
if (process.send && setup && process.argv[1] === fileURLToPath(import.meta.url)) {
  process.once('disconnect', () => process.exit());
  await serve(JSON.parse(setup));
}

/** Chooses the completion script for a shell. */
import { bashCompletion } from './bash.ts';
import type { CompletionContext } from './context.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const scriptOf = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export const completionScript = (
  shell: keyof typeof scriptOf,
  contexts: readonly CompletionContext[],
): string => scriptOf[shell](contexts);

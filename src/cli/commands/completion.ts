/** The command that prints completion scripts. */
import { contextsOf } from '../completion/context.ts';
import { type CommandTable, command } from './command.ts';
import { choice, required } from './parameter.ts';

/** Builds the command. @param table returns all commands, including this one */
export const completionCommand = (table: () => CommandTable) =>
  command({
    path: ['completion'],
    summary: 'Print the completion script for a shell',
    manual: 'vifwatch(8)',
    arguments: { shell: required(choice('shell', ['bash', 'zsh', 'fish']), 'bash, zsh or fish') },
    exitStatuses: [[0, 'the script was printed']],
    examples: [
      [
        'vifwatch completion bash > /etc/bash_completion.d/vifwatch',
        'complete in every new bash, if the package bash-completion is installed',
      ],
      [
        'vifwatch completion zsh > /usr/local/share/zsh/site-functions/_vifwatch',
        'complete in every new zsh that uses compinit',
      ],
      [
        'vifwatch completion fish > ~/.config/fish/completions/vifwatch.fish',
        'complete in every new fish of this user',
      ],
    ],
    run: async ({ shell }) => {
      const { completionScript } = await import('../completion/script.ts');
      process.stdout.write(completionScript(shell, contextsOf(table())));
      return 0;
    },
  });

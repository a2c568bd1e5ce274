/** The completion script for fish 3.1 and later. */
import type { Value } from '../commands/parameter.ts';
import type { CompletionContext, ContextArgument, ContextOption } from './context.ts';

const quote = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;

const pathText = ({ path }: CompletionContext): string => path.map((word) => `/${word}`).join('');

/** The switches of `complete` that offer a value. */
const offerOf = ({ completion }: Value): string => {
  switch (completion) {
    case 'file':
      return '-F';
    case 'directory':
      return "-f -a '(__fish_complete_directories (commandline -ct))'";
    case 'program':
      return "-f -a '(complete -C (commandline -ct))'";
    case 'nothing':
      return '-f';
    default:
      return `-f -a ${quote(completion.join(' '))}`;
  }
};

const line = (where: string, rest: string): string =>
  `complete -c vifwatch -n ${quote(`__vifwatch_at ${where}`)} ${rest}`;

const optionLine = (
  context: CompletionContext,
  { names, summary, value }: ContextOption,
): string => {
  const switches = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const offer = value === undefined ? [] : ['-r', offerOf(value)];
  return line(
    `"${pathText(context)}:*"`,
    [...switches, ...offer, `-d ${quote(summary)}`].join(' '),
  );
};

const argumentLines = (
  context: CompletionContext,
  { kind, value }: ContextArgument,
  at: number,
): readonly string[] => {
  const path = pathText(context);
  if (kind !== 'rest') return [line(`"${path}:${at}"`, offerOf(value))];
  return [line(`"${path}:first"`, offerOf(value)), line(`"${path}:later"`, '-F')];
};

const contextLines = (context: CompletionContext): readonly string[] => [
  ...context.commands.map(({ name, summary }) =>
    line(`"${pathText(context)}:0"`, `-f -a ${name} -d ${quote(summary)}`),
  ),
  ...context.options.map((option) => optionLine(context, option)),
  ...context.arguments.flatMap((argument, at) => argumentLines(context, argument, at)),
];

export const fishCompletion = (contexts: readonly CompletionContext[]): string => {
  const takers = contexts
    .flatMap(({ options }) => options)
    .flatMap(({ names, value }) => (value === undefined ? [] : names));
  const paths = contexts.filter(({ path }) => path.length > 0).map(pathText);
  return `# fish completion of vifwatch, printed by "vifwatch completion fish"

# Whether the words before the cursor lead to a context: its commands, a colon, and the number of arguments.
function __vifwatch_at
    set -l path ''
    set -l position 0
    set -l takes 0
    for word in (commandline -opc)[2..-1]
        if contains $position first later
            set position later
        else if test $takes = 1
            set takes 0
        else if test "$word" = --
            set position first # of the words after "--"
        else
            switch $word
                case ${[...new Set(takers)].join(' ')}
                    set takes 1
                case '-*'
                case '*'
                    if contains -- $path/$word ${paths.join(' ')}
                        set path $path/$word
                    else
                        set position (math $position + 1)
                    end
            end
        end
    end
    string match -q -- $argv[1] "$path:$position"
end

complete -c vifwatch -e
complete -c vifwatch -f
${contexts.flatMap(contextLines).join('\n')}
`;
};

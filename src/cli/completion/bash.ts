/** The completion script for bash 4.4 and later. It does not need the package bash-completion. */
import type { Value } from '../commands/parameter.ts';
import type { CompletionContext, ContextArgument, ContextOption } from './context.ts';

const quote = (text: string): string => `'${text}'`;

/** A path in the script's form: a blank before each word. */
const pathText = ({ path }: CompletionContext): string => path.map((word) => ` ${word}`).join('');

/** The parameter of `_vifwatch_offer`: a kind, or words. */
const offerOf = ({ completion }: Value): string =>
  typeof completion === 'string' ? completion : completion.join(' ');

const branch = (patterns: readonly string[], body: string): string =>
  `${patterns.join(' | ')}) ${body} ;;`;

/** Indents lines of the script. */
const indented = (lines: readonly string[], columns: number): string =>
  lines.map((line) => `${' '.repeat(columns)}${line}`).join('\n');

/** Sets `takes` after an option with a value. Global options may stand anywhere. */
const takesBranches = (context: CompletionContext): readonly string[] =>
  context.options.flatMap(({ names, value, isGlobal }: ContextOption) => {
    if (value === undefined || (isGlobal && context.path.length > 0)) return [];
    const patterns = names.map((name) =>
      context.path.length === 0 ? `*${quote(` ${name}`)}` : quote(`${pathText(context)} ${name}`),
    );
    return [branch(patterns, `takes=${quote(offerOf(value))}`)];
  });

const optionBranches = (context: CompletionContext): readonly string[] => {
  const names = context.options.flatMap((option) => option.names);
  const offer = `_vifwatch_offer ${quote(names.join(' '))}`;
  return names.length === 0 ? [] : [branch([quote(pathText(context))], offer)];
};

const argumentBranches = (context: CompletionContext): readonly string[] => {
  const path = pathText(context);
  const words = context.commands.map(({ name }) => name).join(' ');
  const offer = (position: number | string, what: string): string =>
    branch([quote(`${path}:${position}`)], `_vifwatch_offer ${quote(what)}`);
  const argument = ({ kind, value }: ContextArgument, at: number): readonly string[] =>
    kind === 'rest'
      ? [offer('first', offerOf(value)), offer('later', 'file')]
      : [offer(at, offerOf(value))];
  const commands = words === '' ? [] : [offer(0, words)];
  return [...commands, ...context.arguments.flatMap(argument)];
};

export const bashCompletion = (contexts: readonly CompletionContext[]): string => {
  const paths = contexts
    .filter(({ path }) => path.length > 0)
    .map((context) => quote(pathText(context)));
  return `# bash completion of vifwatch, printed by "vifwatch completion bash"

# Offers the files, directories, programs or given words that begin with $current, or nothing.
_vifwatch_offer() {
  case $1 in
    file | directory)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -A "$1" -- "$current")
      ;;
    program) mapfile -t COMPREPLY < <(compgen -c -- "$current") ;;
    nothing) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current") ;;
  esac
}

_vifwatch() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' takes='' position=0 at word
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ $position == first || $position == later ]]; then
      position=later
    elif [[ $word == '=' ]]; then
      continue # bash takes "--option=value" for three words.
    elif [[ -n $takes ]]; then
      takes=''
    elif [[ $word == -- ]]; then
      position=first # of the words after "--"
    elif [[ $word == -* ]]; then
      case "$path $word" in
${indented(contexts.flatMap(takesBranches), 8)}
      esac
    else
      case "$path $word" in
        ${paths.join(' | ')}) path="$path $word" ;;
        *) position=$((position + 1)) ;;
      esac
    fi
  done
  [[ $current == '=' ]] && current=''
  if [[ -n $takes ]]; then
    _vifwatch_offer "$takes"
  elif [[ $position != [fl]* && $current == -* ]]; then
    case $path in
${indented(contexts.flatMap(optionBranches), 6)}
    esac
  else
    case "$path:$position" in
${indented(contexts.flatMap(argumentBranches), 6)}
    esac
  fi
}

complete -F _vifwatch vifwatch
`;
};

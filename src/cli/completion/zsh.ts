/** The completion script for zsh. It works in a directory of `fpath`, or sourced after `compinit`. */
import type { Value } from '../commands/parameter.ts';
import type { CompletionContext, ContextArgument, ContextOption } from './context.ts';

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Escapes a text for a specification of `_arguments`, where brackets and colons are special. */
const escapeSpec = (text: string): string => text.replaceAll(/[[\]:\\]/g, String.raw`\$&`);

const actionOf = ({ completion }: Value): string => {
  switch (completion) {
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'program':
      return '_command_names -e';
    case 'nothing':
      return '()';
    default:
      return `(${completion.join(' ')})`;
  }
};

const valueSpec = (value: Value): string => `${escapeSpec(value.name)}:${actionOf(value)}`;

const optionSpec = ({ names, summary, value }: ContextOption): readonly string[] => {
  const others = names.length > 1 ? `(${names.join(' ')})` : '';
  return names.map((name) => {
    const suffix = value === undefined ? '' : name.startsWith('--') ? '=' : '+';
    const text = `${others}${name}${suffix}[${escapeSpec(summary)}]`;
    return quote(value === undefined ? text : `${text}:${valueSpec(value)}`);
  });
};

const argumentSpec = ({ kind, value }: ContextArgument, at: number): readonly string[] =>
  kind === 'rest' ? [] : [quote(`${at + 1}:${kind === 'optional' ? ':' : ''}${valueSpec(value)}`)];

/** The lines that complete the words after "--" as a separate command line. */
const restOf = ({ arguments: args }: CompletionContext): string =>
  args.some(({ kind }) => kind === 'rest')
    ? `
  local dashes=\${words[(i)--]}
  if ((dashes < CURRENT)); then
    words=("\${(@)words[dashes + 1,-1]}")
    ((CURRENT -= dashes))
    _normal
    return
  fi`
    : '';

const functionName = (path: readonly string[]): string => ['_vifwatch', ...path].join('_');

/** The lines that call the functions of the commands below this context. */
const dispatch = ({ path, commands }: CompletionContext): string => `
  case $state in
    command)
      local -a commands=(
${commands.map(({ name, summary }) => `        ${quote(`${name}:${escapeSpec(summary)}`)}`).join('\n')}
      )
      _describe -t commands command commands
      ;;
    argument)
      words=("$line[1]" "\${words[@]}")
      ((CURRENT += 1))
      curcontext="\${curcontext%:*}-$line[1]:"
      case $line[1] in
${commands.map(({ name }) => `        ${name}) ${functionName([...path, name])} ;;`).join('\n')}
      esac
      ;;
  esac`;

const functionOf = (context: CompletionContext): string => {
  const specs = [
    ...context.options.flatMap(optionSpec),
    ...context.arguments.flatMap(argumentSpec),
    ...(context.commands.length > 0 ? ["'1: :->command'", "'*:::argument:->argument'"] : []),
  ];
  return `${functionName(context.path)}() {
  local context state state_descr line
  local -A opt_args${restOf(context)}
  _arguments -C -S${specs.map((spec) => ` \\\n    ${spec}`).join('')}${
    context.commands.length > 0 ? dispatch(context) : ''
  }
}`;
};

export const zshCompletion = (contexts: readonly CompletionContext[]): string => `#compdef vifwatch
# zsh completion of vifwatch, printed by "vifwatch completion zsh"

${contexts.map(functionOf).join('\n\n')}

# The first completion runs this file as the function itself.
if [[ \${funcstack[1]} == _vifwatch ]]; then
  _vifwatch "$@"
else
  compdef _vifwatch vifwatch
fi
`;

/** Reads the lines of a stream, with a limit on their length. */
import { StringDecoder } from 'node:string_decoder';

/**
 * The greatest length of a line, many times that of a valid request: an endless line must not fill the
 * memory.
 */
const longest = 65_536;

const unlessTooLong = (line: string): string => (line.length > longest ? '' : line);

/**
 * Yields the lines of each chunk together, without their newlines. Only a newline ends a line: JSON may
 * contain other separators, such as U+2028. A line that is too long comes as an empty one.
 */
export async function* requestLines(
  stream: AsyncIterable<Buffer>,
): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = decoder.write(chunk).split('\n');
    lines[0] = `${rest}${lines[0] ?? ''}`;
    rest = (lines.pop() ?? '').slice(0, longest + 1);
    if (lines.length > 0) yield lines.map(unlessTooLong);
  }
  rest += decoder.end();
  if (rest !== '') yield [unlessTooLong(rest)];
}

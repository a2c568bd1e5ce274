/** The lines of a stream as they come, however long one of them pretends to be. */
import { StringDecoder } from 'node:string_decoder';

/** Many times the longest names; a line without an end must not fill the memory. */
const longest = 65_536;

const unlessTooLong = (line: string): string => (line.length > longest ? '' : line);

/**
 * Emits the lines of each chunk together, without their newlines; not cut at U+2028 and the like, which JSON may hold.
 * A line that is too long comes empty.
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

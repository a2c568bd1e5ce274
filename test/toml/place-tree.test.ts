/** Headers and paths, without a text. */
import { expect, test } from 'vitest';
import { findOffset, newPlace, placeBelow, tableBelow } from '../../src/toml/place-tree.ts';

test('a key keeps the offset at which the text names it first', () => {
  const root = newPlace(0);
  const first = placeBelow(root, 'a', 3);
  expect(placeBelow(root, 'a', 9)).toBe(first);
  expect(findOffset(root, ['a'])).toBe(3);
});

test('a path that the text does not spell out ends at its longest known beginning', () => {
  const root = newPlace(0);
  placeBelow(placeBelow(root, 'a', 3), 'b', 5);
  expect(findOffset(root, ['a', 'b', 'c', 0])).toBe(5);
  expect(findOffset(root, ['a', 'x'])).toBe(3);
  expect(findOffset(root, ['x'])).toBe(0);
});

test('each header of an array adds an item, and a header below it means the last item', () => {
  const root = newPlace(0);
  const open = (keys: readonly string[], isItem: boolean, offset: number) =>
    tableBelow(root, keys, { isItem, offset });
  open(['rule'], true, 1);
  open(['rule'], true, 2);
  placeBelow(open(['rule', 'more'], false, 3), 'key', 4);
  open(['rule', 'list'], true, 5);
  expect(findOffset(root, ['rule'])).toBe(1);
  expect(findOffset(root, ['rule', 0, 'more'])).toBe(1);
  expect(findOffset(root, ['rule', 1])).toBe(2);
  expect(findOffset(root, ['rule', 1, 'more', 'key'])).toBe(4);
  expect(findOffset(root, ['rule', 1, 'list', 0])).toBe(5);
});

test('a key "0" is not the first item of an array', () => {
  const root = newPlace(0);
  placeBelow(tableBelow(root, ['a'], { isItem: false, offset: 1 }), '0', 2);
  tableBelow(root, ['a', 'b'], { isItem: false, offset: 3 });
  expect(findOffset(root, ['a', 'b'])).toBe(3);
});

/** A tree of the keys and array items in a TOML text, with the offset at which each begins. */

/** Keys and array indices, as in valibot's issues. */
export type KeyPath = readonly (string | number)[];

/** A position in the text, from 0. */
export type Offset = number;

/** A key or an array item, with the keys and items below it. */
export type TomlPlace = {
  readonly offset: Offset;
  readonly inner: Map<string | number, TomlPlace>;
};

export const newPlace = (offset: Offset): TomlPlace => ({ offset, inner: new Map() });

/** Returns the key or item below a place. A new one gets the offset; a known one keeps its first offset. */
export const placeBelow = (place: TomlPlace, key: string | number, offset: Offset): TomlPlace => {
  const known = place.inner.get(key);
  if (known !== undefined) return known;
  const added = newPlace(offset);
  place.inner.set(key, added);
  return added;
};

/**
 * Returns the table that a header opens. The last key of a `[[...]]` header adds an item to its array. Any
 * other key that names an array stands for the array's last item.
 */
export const tableBelow = (
  root: TomlPlace,
  keys: readonly string[],
  { isItem, offset }: { readonly isItem: boolean; readonly offset: Offset },
): TomlPlace => {
  let table = root;
  for (const [index, key] of keys.entries()) {
    const named = placeBelow(table, key, offset);
    const items = named.inner.size;
    const isNew = isItem && index === keys.length - 1;
    table = isNew ? placeBelow(named, items, offset) : (named.inner.get(items - 1) ?? named);
  }
  return table;
};

/** Finds the longest prefix of the path that the tree contains; the root stands for an empty prefix. */
export const findOffset = (root: TomlPlace, path: KeyPath): Offset => {
  let place = root;
  for (const key of path) {
    const next = place.inner.get(key);
    if (next === undefined) break;
    place = next;
  }
  return place.offset;
};

/** Users from /etc/passwd, and groups from /etc/group. The C library's other sources (NSS) are not used. */

export type User = {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
};

/** The largest id that setuid(2) accepts: (uid_t) -1 means "no change". */
const idMax = 2 ** 32 - 2;

const id = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= idMax ? value : undefined;
};

const userOf = (line: string): User | undefined => {
  const [name, , uidText, gidText, , home, shell] = line.split(':');
  const [uid, gid] = [id(uidText), id(gidText)];
  if (!name || uid === undefined || gid === undefined) return undefined;
  return { name, uid, gid, home: home || '/', shell: shell || '/bin/sh' };
};

/** Returns the first user with the name or number. Skips lines that do not follow passwd(5). */
export const findUser = (passwd: string, wanted: string | number): User | undefined => {
  for (const line of passwd.split('\n')) {
    const user = userOf(line);
    if (user !== undefined && (user.name === wanted || user.uid === wanted)) return user;
  }
  return undefined;
};

/** Returns the number of the first group with the name. Skips lines that do not follow group(5). */
export const findGid = (groups: string, wanted: string): number | undefined => {
  for (const line of groups.split('\n')) {
    const [name, , text] = line.split(':');
    const gid = id(text);
    if (name === wanted && gid !== undefined) return gid;
  }
  return undefined;
};

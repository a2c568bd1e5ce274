/** Users as /etc/passwd has them: the C library's other sources are not asked. */

export type User = {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
};

/** The largest that setuid(2) takes: (uid_t) -1 means "leave it". */
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

/** The first of that name, or of that number; lines that are not as passwd(5) has them count for nothing. */
export const findUser = (passwd: string, wanted: string | number): User | undefined => {
  for (const line of passwd.split('\n')) {
    const user = userOf(line);
    if (user !== undefined && (user.name === wanted || user.uid === wanted)) return user;
  }
  return undefined;
};

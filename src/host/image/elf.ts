/** Reads from an ELF header which machine can run the file. Offsets and numbers are from elf(5) and elf.h. */
import type { ReadAt } from './find-file.ts';

export type Elf = {
  readonly bits: 32 | 64;
  /** The field e_machine. */
  readonly machine: number;
  /** The dynamic loader; undefined for a library and for a static program. */
  readonly interpreter: string | undefined;
  /** A file that is shorter than this number of bytes is cut off. */
  readonly length: number;
};

const magic = '\x7fELF';
const segmentOfInterpreter = 3; // PT_INTERP
const longestPath = 4096; // PATH_MAX

/** Offsets in the header and in an entry of the program header table. */
const layouts = {
  32: {
    header: 52,
    segments: 28,
    sections: 32,
    segmentSize: 42,
    segmentCount: 44,
    sectionSize: 46,
    sectionCount: 48,
    offset: 4,
    size: 16,
    word: 4,
  },
  64: {
    header: 64,
    segments: 32,
    sections: 40,
    segmentSize: 54,
    segmentCount: 56,
    sectionSize: 58,
    sectionCount: 60,
    offset: 8,
    size: 32,
    word: 8,
  },
} as const;

/** Returns undefined for a file that is not ELF. It accepts any bytes, and does not throw. */
export const parseElf = (read: ReadAt): Elf | undefined => {
  const head = read(0, 64);
  if (head.toString('latin1', 0, 4) !== magic) return undefined;
  const bits = head[4] === 1 ? 32 : 64;
  const layout = layouts[bits];
  if (head.length < layout.header) return undefined;
  const isLittle = head[5] !== 2;

  const half = (from: Buffer, at: number): number =>
    isLittle ? from.readUInt16LE(at) : from.readUInt16BE(at);
  const word = (from: Buffer, at: number): number =>
    isLittle ? from.readUInt32LE(at) : from.readUInt32BE(at);
  /** Reads an address or offset. */
  const wide = (from: Buffer, at: number): number => {
    if (layout.word === 4) return word(from, at);
    const high = isLittle ? at + 4 : at;
    return word(from, high) * 2 ** 32 + word(from, high === at ? at + 4 : at);
  };

  const interpreter = (): string | undefined => {
    const size = half(head, layout.segmentSize);
    const table = read(wide(head, layout.segments), size * half(head, layout.segmentCount));
    for (let at = 0; size >= layout.size + layout.word && at + size <= table.length; at += size) {
      if (word(table, at) !== segmentOfInterpreter) continue;
      const length = Math.min(wide(table, at + layout.size), longestPath);
      const [path] = read(wide(table, at + layout.offset), length)
        .toString('utf8')
        .split('\0');
      return path;
    }
    return undefined;
  };

  // Linkers put the section table at the end of the file.
  const sections = half(head, layout.sectionSize) * half(head, layout.sectionCount);
  return {
    bits,
    machine: half(head, 18),
    interpreter: interpreter(),
    length: wide(head, layout.sections) + sections,
  };
};

/** The ELF machines by the names of `process.arch`. */
const machines: Readonly<Record<string, Pick<Elf, 'bits' | 'machine'>>> = {
  ia32: { bits: 32, machine: 3 },
  ppc64: { bits: 64, machine: 21 },
  s390x: { bits: 64, machine: 22 },
  arm: { bits: 32, machine: 40 },
  x64: { bits: 64, machine: 62 },
  arm64: { bits: 64, machine: 183 },
  riscv64: { bits: 64, machine: 243 },
  loong64: { bits: 64, machine: 258 },
};

/** Returns why a machine cannot run the file; undefined if it can. @param arch a name of `process.arch` */
export const foreignTo = (arch: string, { bits, machine }: Elf): string | undefined => {
  const own = machines[arch];
  if (own === undefined) return `vifwatch cannot recognise programs for ${arch}`;
  if (own.bits === bits && own.machine === machine) return undefined;
  const known = Object.entries(machines).find(
    ([, other]) => other.bits === bits && other.machine === machine,
  );
  return `it is for ${known?.[0] ?? `machine ${machine} of elf.h, ${bits} bit`}, but this machine is ${arch}`;
};

/** Damages a text in ways that readers trip over. The same seed damages in the same way. */
export type Fraction = () => number

export function seededRandom(seed: number): Fraction {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const PIECES = [
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  '"',
  '${',
  '%{',
  '}',
  '~',
  '$${',
  '<<E\n',
  '\nE\n',
  '<<-E\n',
  '\n',
  '\r\n',
  '=',
  '=>',
  ':',
  ',',
  '.',
  '.*',
  '[*]',
  '...',
  '?',
  '!',
  '-',
  '+',
  '*',
  '/',
  '%',
  '&&',
  '||',
  '==',
  '#',
  '//',
  '/*',
  '*/',
  '\\',
  '\\u00e9',
  'é',
  '日本',
  '\u0000',
  'for',
  'in',
  'if',
  'else',
  'endif',
  'endfor',
  'true',
  'null',
  '1e5',
  '0x1',
  '1.',
  '.5',
  '1e400',
  '__proto__',
  'constructor',
  'dynamic',
  'var.x',
  'local.x',
  'attr.x',
  'file("x")',
  '%{ if true }',
  '%{ endif }',
  '%{ for x in [1] }',
  '%{ endfor }',
  'a = 1',
  'b {\n}\n',
  '\t',
] as const // prettier-ignore

export function mutate(text: string, random: Fraction): string {
  let result = text
  const count = 1 + Math.floor(random() * 4)
  for (let at = 0; at < count; at++) result = mutateOnce(result, random)
  return result
}

function mutateOnce(text: string, random: Fraction): string {
  const start = Math.floor(random() * (text.length + 1))
  const length = Math.floor(random() * 12)
  switch (Math.floor(random() * 5)) {
    case 0:
      return text.slice(0, start) + text.slice(start + length)
    case 1:
      return text.slice(0, start) + PIECES[Math.floor(random() * PIECES.length)]! + text.slice(start)
    case 2:
      return text.slice(0, start) + text.slice(start, start + length) + text.slice(start)
    case 3: {
      const other = Math.floor(random() * (text.length + 1))
      return text.slice(0, start) + text.slice(other, other + length) + text.slice(start + length)
    }
    default:
      return text.slice(0, start) + PIECES[Math.floor(random() * PIECES.length)]! + text.slice(start + 1)
  }
}

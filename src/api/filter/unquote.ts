/** The inside of a double-quoted literal with Go's escapes; `undefined` when one of them is none. */
export function unquote(inner: string): string | undefined {
  if (inner.includes('\n')) return undefined
  if (!inner.includes('\\')) return inner
  let text = ''
  for (let at = 0; at < inner.length; ) {
    if (inner[at] !== '\\') {
      text += inner[at++]
      continue
    }
    const simple = SIMPLE[inner[at + 1] ?? '']
    if (simple !== undefined) {
      text += simple
      at += 2
      continue
    }
    CODED.lastIndex = at
    const coded = CODED.exec(inner)
    if (coded === null) return undefined
    const code = Number.parseInt(coded[1] ?? coded[2] ?? coded[3] ?? '', coded[1] === undefined ? 16 : 8)
    if (code > 0x10ffff) return undefined
    text += String.fromCodePoint(code)
    at += coded[0].length
  }
  return text
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}
const CODED = /\\(?:([0-3][0-7]{2})|x([0-9a-fA-F]{2})|(?:u(?=[0-9a-fA-F]{4})|U(?=[0-9a-fA-F]{8}))([0-9a-fA-F]{4}(?:[0-9a-fA-F]{4})?))/y

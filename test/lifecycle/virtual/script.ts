/**
 * The part of the shell's language that tasks of recorded stories speak, read into a tree. Whatever else a script holds needs a real
 * shell, which is told by `NeedsProcesses`.
 */

/** What only real processes can do, in words. */
export class NeedsProcesses extends Error {}

export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly isQuoted: boolean }
  | { readonly kind: 'variable'; readonly name: string; readonly isQuoted: boolean }
export type Word = readonly Part[]

export interface Redirect {
  readonly stream: 'stdin' | 'stdout' | 'stderr'
  readonly how: 'read' | 'write' | 'append' | 'same-as'
  /** A file, or for `same-as` the number of a stream. */
  readonly target: Word
}

export interface SimpleCommand {
  readonly kind: 'simple'
  readonly assignments: readonly (readonly [name: string, value: Word])[]
  readonly words: readonly Word[]
  readonly redirects: readonly Redirect[]
}

export interface Loop {
  readonly kind: 'loop'
  readonly isUntil: boolean
  readonly condition: List
  readonly body: List
}

export interface Branches {
  readonly kind: 'if'
  readonly branches: readonly { readonly condition: List; readonly body: List }[]
  readonly otherwise: List
}

export type ScriptCommand = SimpleCommand | Loop | Branches

export interface Step {
  /** What must have become of the step before: `;` anything, `&&` success, `||` failure. */
  readonly after: ';' | '&&' | '||'
  readonly isNegated: boolean
  readonly command: ScriptCommand
}
export type List = readonly Step[]

type Token =
  | { readonly kind: 'word'; readonly word: Word; readonly keyword: string | undefined }
  | { readonly kind: 'operator'; readonly text: string }

const KEYWORDS = new Set(['while', 'until', 'do', 'done', 'if', 'then', 'elif', 'else', 'fi', '!'])
const COMMANDS = new Set([
  'sleep',
  'exit',
  'exec',
  'trap',
  'echo',
  'cat',
  'touch',
  'rm',
  'mkdir',
  'test',
  '[',
  'true',
  'false',
  ':',
  'kill',
])

/** @throws NeedsProcesses */
export function parseScript(text: string): List {
  const parser = new Parser(tokensOf(text))
  const list = parser.list([])
  parser.expectEnd()
  return list
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  list(ends: readonly string[]): List {
    const steps: Step[] = []
    let after: Step['after'] = ';'
    for (;;) {
      while (this.#takeOperator(';')) after = ';'
      const token = this.#peek()
      if (token === undefined || (token.kind === 'word' && token.keyword !== undefined && ends.includes(token.keyword))) return steps
      const isNegated = this.#takeKeyword('!')
      steps.push({ after, isNegated, command: this.#command() })
      after = this.#takeOperator('&&') ? '&&' : this.#takeOperator('||') ? '||' : ';'
    }
  }

  expectEnd(): void {
    if (this.#peek() !== undefined) throw new NeedsProcesses('its script has an end that does not fit')
  }

  #command(): ScriptCommand {
    if (this.#takeKeyword('while')) return this.#loop(false)
    if (this.#takeKeyword('until')) return this.#loop(true)
    if (this.#takeKeyword('if')) return this.#if()
    return this.#simple()
  }

  #loop(isUntil: boolean): Loop {
    const condition = this.list(['do'])
    this.#expectKeyword('do')
    const body = this.list(['done'])
    this.#expectKeyword('done')
    return { kind: 'loop', isUntil, condition, body }
  }

  #if(): Branches {
    const branches: Branches['branches'][number][] = []
    do {
      const condition = this.list(['then'])
      this.#expectKeyword('then')
      branches.push({ condition, body: this.list(['elif', 'else', 'fi']) })
    } while (this.#takeKeyword('elif'))
    const otherwise = this.#takeKeyword('else') ? this.list(['fi']) : []
    this.#expectKeyword('fi')
    return { kind: 'if', branches, otherwise }
  }

  #simple(): SimpleCommand {
    const assignments: (readonly [string, Word])[] = []
    const words: Word[] = []
    const redirects: Redirect[] = []
    for (;;) {
      const token = this.#peek()
      if (token?.kind === 'word') {
        this.#at++
        const assignment = words.length === 0 ? assignmentOf(token.word) : undefined
        if (assignment === undefined) words.push(token.word)
        else assignments.push(assignment)
      } else if (token !== undefined && isRedirect(token.text)) {
        this.#at++
        redirects.push(redirectOf(token.text, this.#word()))
      } else break
    }
    if (words.length > 0) checkKnown(words)
    else if (assignments.length === 0) throw new NeedsProcesses('its script has a command that cannot be read')
    return { kind: 'simple', assignments, words, redirects }
  }

  #word(): Word {
    const token = this.#peek()
    if (token?.kind !== 'word') throw new NeedsProcesses('its script redirects to nothing')
    this.#at++
    return token.word
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at]
  }

  #takeOperator(text: string): boolean {
    const token = this.#peek()
    const isThere = token?.kind === 'operator' && token.text === text
    if (isThere) this.#at++
    return isThere
  }

  #takeKeyword(keyword: string): boolean {
    const token = this.#peek()
    const isThere = token?.kind === 'word' && token.keyword === keyword
    if (isThere) this.#at++
    return isThere
  }

  #expectKeyword(keyword: string): void {
    if (!this.#takeKeyword(keyword)) throw new NeedsProcesses(`its script lacks ${keyword}`)
  }
}

function checkKnown([first, second]: readonly Word[]): void {
  const name = literalOf(first!)
  if (name === undefined || !COMMANDS.has(name)) throw new NeedsProcesses(`it runs ${name ?? 'a program by a variable'}`)
  const executed = name === 'exec' && second !== undefined ? literalOf(second) : 'true'
  if (executed === undefined || !COMMANDS.has(executed)) throw new NeedsProcesses(`it becomes ${executed ?? 'another program'}`)
}

function literalOf(word: Word): string | undefined {
  return word.every((part) => part.kind === 'text') ? word.map((part) => (part.kind === 'text' ? part.text : '')).join('') : undefined
}

function assignmentOf([first, ...rest]: Word): readonly [string, Word] | undefined {
  if (first?.kind !== 'text' || first.isQuoted) return undefined
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(first.text) ?? []
  return name === undefined ? undefined : [name, [{ ...first, text: value! }, ...rest]]
}

function isRedirect(operator: string): boolean {
  return /^\d?(>>|>&|>|<)$/.test(operator)
}

function redirectOf(operator: string, target: Word): Redirect {
  if (operator.endsWith('<')) return { stream: 'stdin', how: 'read', target }
  const stream = operator.startsWith('2') ? 'stderr' : 'stdout'
  return { stream, how: operator.endsWith('>>') ? 'append' : operator.endsWith('>&') ? 'same-as' : 'write', target }
}

const OPERATOR = /(?:[012]?(?:>>|>&|>|<)|&&|\|\||;|\n)/y
const PLAIN = /[^\s'"\\$`;&|<>(){}*?#~]+/y
const VARIABLE = /\$(?:([A-Za-z_]\w*|[?$0-9])|\{([A-Za-z_]\w*)\})/y

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }
  while (at < text.length) {
    if (/[ \t]/.test(text[at]!)) {
      at++
      continue
    }
    const operator = match(OPERATOR)
    if (operator !== null) {
      tokens.push({ kind: 'operator', text: operator[0] === '\n' ? ';' : operator[0] })
      at += operator[0].length
      continue
    }
    const parts: Part[] = []
    const began = at
    at = readWord(text, at, parts)
    if (at === began) throw new NeedsProcesses(`its script says ${JSON.stringify(text.slice(at, at + 10))}`)
    const only = parts.length === 1 ? parts[0]! : undefined
    const keyword = only?.kind === 'text' && !only.isQuoted && KEYWORDS.has(only.text) ? only.text : undefined
    tokens.push({ kind: 'word', word: parts, keyword })
  }
  return tokens
}

/** @returns where the word ends */
function readWord(text: string, from: number, parts: Part[]): number {
  let at = from
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }
  for (;;) {
    const letter = text[at]
    const plain = match(PLAIN)
    const variable = letter === '$' ? match(VARIABLE) : null
    if (plain !== null) {
      // A number before > belongs to it.
      parts.push({ kind: 'text', text: plain[0], isQuoted: false })
      at += plain[0].length
    } else if (variable !== null) {
      parts.push({ kind: 'variable', name: (variable[1] ?? variable[2])!, isQuoted: false })
      at += variable[0].length
    } else if (letter === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) throw new NeedsProcesses('its script has a quote without an end')
      parts.push({ kind: 'text', text: text.slice(at + 1, end), isQuoted: true })
      at = end + 1
    } else if (letter === '"') at = readQuoted(text, at + 1, parts)
    else if (letter === '\\' && at + 1 < text.length) {
      parts.push({ kind: 'text', text: text[at + 1]!, isQuoted: true })
      at += 2
    } else return at
  }
}

/** Between double quotes. @returns where it goes on after them */
function readQuoted(text: string, from: number, parts: Part[]): number {
  let at = from
  parts.push({ kind: 'text', text: '', isQuoted: true })
  while (text[at] !== '"') {
    VARIABLE.lastIndex = at
    const variable = text[at] === '$' ? VARIABLE.exec(text) : null
    if (text[at] === undefined || text[at] === '`' || (text[at] === '$' && variable === null))
      throw new NeedsProcesses(`its script says ${JSON.stringify(text.slice(at, at + 10))}`)
    if (variable !== null) {
      parts.push({ kind: 'variable', name: (variable[1] ?? variable[2])!, isQuoted: true })
      at += variable[0].length
      continue
    }
    const isEscape = text[at] === '\\' && /["\\$`]/.test(text[at + 1] ?? '')
    parts.push({ kind: 'text', text: text[at + (isEscape ? 1 : 0)]!, isQuoted: true })
    at += isEscape ? 2 : 1
  }
  return at + 1
}

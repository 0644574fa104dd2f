/**
 * Reads a filter expression (Nomad API docs, "HTTP API"). Keywords are lower case; there are no relational operators.
 *
 *   or   := and ( `or` and )*          and := not ( `and` not )*        not := `not` not | `(` or `)` | any/all | match
 *   match := selector (`==` | `!=` | `contains` | `matches` …) value | value `in` selector | selector `is` [`not`] (`empty` | `nil`)
 */
import { type Expression, FilterSyntaxError, type MatchOperator, type Selector } from './syntax.js'
import { unquote } from './unquote.js'

const DEPTH_MAX = 200

/** @throws FilterSyntaxError */
export function parseFilter(text: string): Expression {
  return new FilterParser(text).parse()
}

class FilterParser {
  readonly #text: string
  #at = 0
  #depth = 0
  /** The farthest place where something else was expected, and what. */
  #farthest = 0
  #expected = new Set<string>()

  constructor(text: string) {
    this.#text = text
  }

  parse(): Expression {
    this.#space()
    const expression = this.#or()
    this.#space()
    if (expression === undefined || !this.#end()) throw this.#unexpected()
    return expression
  }

  #or(): Expression | undefined {
    return this.#chain('or', () => this.#chain('and', () => this.#not()))
  }

  #chain(kind: 'and' | 'or', next: () => Expression | undefined): Expression | undefined {
    let left = next()
    while (left !== undefined) {
      const start = this.#at
      if (!(this.#blank() && this.#word(kind) && this.#blank())) {
        this.#at = start
        return left
      }
      const right = next()
      if (right === undefined) return undefined
      left = { kind, left, right }
    }
    return left
  }

  #not(): Expression | undefined {
    if (++this.#depth > DEPTH_MAX) throw new FilterSyntaxError(this.#text, this.#at, `nested more than ${DEPTH_MAX} deep`)
    const start = this.#at
    const negated = this.#word('not') && this.#blank() ? this.#not() : undefined
    if (negated === undefined) this.#at = start
    const expression: Expression | undefined =
      negated === undefined ? (this.#group() ?? this.#quantifier() ?? this.#match()) : { kind: 'not', of: negated }
    this.#depth--
    return expression
  }

  #group(): Expression | undefined {
    const start = this.#at
    if (!this.#sign('(')) return undefined
    this.#space()
    const expression = this.#or()
    if (expression === undefined) return this.#back(start)
    this.#space()
    if (!this.#sign(')')) {
      if (this.#end()) throw new FilterSyntaxError(this.#text, this.#at, 'rule "grouping": Unmatched parentheses')
      return this.#back(start)
    }
    return expression
  }

  #quantifier(): Expression | undefined {
    const start = this.#at
    const kind = this.#word('any') ? 'any' : this.#word('all') ? 'all' : undefined
    if (kind === undefined || !this.#blank()) return this.#back(start)
    const selector = this.#selector()
    if (selector === undefined || !(this.#blank() && this.#word('as') && this.#blank())) return this.#back(start)
    const names = this.#names()
    this.#space()
    if (names === undefined || !this.#sign('{')) return this.#back(start)
    this.#space()
    const of = this.#or()
    this.#space()
    if (of === undefined || !this.#sign('}')) return this.#back(start)
    return { kind, selector, names, of }
  }

  #names(): readonly string[] | undefined {
    const first = this.#binding()
    if (first === undefined) return undefined
    const after = this.#at
    this.#space()
    if (!this.#sign(',')) {
      this.#at = after
      return [first]
    }
    this.#space()
    const second = this.#binding()
    return second === undefined ? undefined : [first, second]
  }

  #binding(): string | undefined {
    return this.#take(/_|[a-zA-Z][a-zA-Z0-9_]*/y, '[a-zA-Z]')
  }

  #match(): Expression | undefined {
    return this.#selectorFirst() ?? this.#valueFirst()
  }

  #selectorFirst(): Expression | undefined {
    const start = this.#at
    const selector = this.#selector()
    if (selector === undefined) return this.#back(start)
    const after = this.#at
    this.#space()
    const equality = this.#sign('==') ? 'equal' : this.#sign('!=') ? 'not equal' : undefined
    if (equality !== undefined) {
      this.#space()
      return this.#valued(selector, equality) ?? this.#back(start)
    }
    this.#at = after
    if (!this.#blank()) return this.#back(start)
    return this.#test(selector) ?? this.#wordOperator(selector) ?? this.#back(start)
  }

  /** `is [not] empty`, `is [not] nil` */
  #test(selector: Selector): Expression | undefined {
    const start = this.#at
    if (!(this.#word('is') && this.#blank())) return this.#back(start)
    const isNegated = this.#word('not')
    if (isNegated && !this.#blank()) return this.#back(start)
    const test = this.#word('empty') ? 'empty' : this.#word('nil') ? 'nil' : undefined
    if (test === undefined) return this.#back(start)
    return { kind: 'match', selector, operator: isNegated ? `is not ${test}` : `is ${test}`, value: '' }
  }

  #wordOperator(selector: Selector): Expression | undefined {
    const start = this.#at
    const isNegated = this.#word('not')
    if (isNegated && !this.#blank()) return this.#back(start)
    const operator: MatchOperator | undefined = this.#word('contains') ? 'in' : this.#word('matches') ? 'matches' : undefined
    if (operator === undefined || !this.#blank()) return this.#back(start)
    return this.#valued(selector, isNegated ? `not ${operator}` : operator)
  }

  #valued(selector: Selector, operator: MatchOperator): Expression | undefined {
    const value = this.#value()
    return value === undefined ? undefined : { kind: 'match', selector, operator, value }
  }

  #valueFirst(): Expression | undefined {
    const start = this.#at
    const value = this.#value()
    if (value === undefined || !this.#blank()) return this.#back(start)
    const isNegated = this.#word('not')
    if (isNegated && !this.#blank()) return this.#back(start)
    if (!(this.#word('in') && this.#blank())) return this.#back(start)
    const selector = this.#selector()
    return selector === undefined ? this.#back(start) : { kind: 'match', selector, operator: isNegated ? 'not in' : 'in', value }
  }

  /** `A.b["c"].0` or a JSON pointer in quotes. */
  #selector(): Selector | undefined {
    const start = this.#at
    if (this.#text[this.#at] === '"' || this.#text[this.#at] === '`') {
      const pointer = this.#string()
      if (pointer === undefined || !pointer.startsWith('/')) return this.#back(start)
      const parts = pointer.slice(1).split('/')
      return { parts: parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')), text: pointer }
    }
    const first = this.#identifier()
    if (first === undefined) return undefined
    const parts = [first]
    for (let part = this.#nextPart(); part !== undefined; part = this.#nextPart()) parts.push(part)
    return { parts, text: parts.join('.') }
  }

  #nextPart(): string | undefined {
    const start = this.#at
    if (this.#sign('.')) return this.#take(/[0-9]+|[a-zA-Z][a-zA-Z0-9_/]*/y, '[0-9] or [a-zA-Z]') ?? this.#back(start)
    if (!this.#sign('[')) return undefined
    this.#space()
    const opening = this.#at
    const key = this.#string()
    if (key === undefined) throw new FilterSyntaxError(this.#text, opening, 'rule "index": Invalid index')
    this.#space()
    if (!this.#sign(']')) throw new FilterSyntaxError(this.#text, this.#at, 'rule "index": Unclosed index expression')
    return key
  }

  #value(): string | undefined {
    return this.#string() ?? this.#number() ?? this.#bareWord()
  }

  /** A word without quotes is read like a selector and means its text. */
  #bareWord(): string | undefined {
    const start = this.#at
    if (!/[a-zA-Z]/.test(this.#text[this.#at] ?? '')) return this.#expect(start, '[a-zA-Z]')
    return this.#selector()?.text
  }

  #number(): string | undefined {
    const digits = this.#take(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?/y, '"-", "0" or [1-9]')
    if (digits === undefined) return undefined
    if (!this.#end() && !/[ \t\r\n)}]/.test(this.#text[this.#at]!)) {
      throw new FilterSyntaxError(this.#text, this.#at, 'rule "number": Invalid number literal')
    }
    return digits
  }

  /** In double quotes with Go's escapes (a quote cannot be escaped), or raw in backticks. */
  #string(): string | undefined {
    const quote = this.#text[this.#at]
    if (quote !== '"' && quote !== '`') return this.#expect(this.#at, '"\\"" or "`"')
    const close = this.#text.indexOf(quote, this.#at + 1)
    if (close < 0) throw new FilterSyntaxError(this.#text, this.#text.length, 'rule "string": Unterminated string literal')
    const inner = this.#text.slice(this.#at + 1, close)
    const value = quote === '`' ? inner.replaceAll('\r', '') : unquote(inner)
    if (value === undefined) throw new FilterSyntaxError(this.#text, this.#at, 'rule "string": invalid syntax')
    this.#at = close + 1
    return value
  }

  #identifier(): string | undefined {
    return this.#take(/[a-zA-Z][a-zA-Z0-9_/]*/y, '[a-zA-Z]')
  }

  /** A keyword; what follows it is checked by the blank that must come next. */
  #word(word: string): boolean {
    return this.#sign(word)
  }

  #sign(sign: string): boolean {
    if (this.#text.startsWith(sign, this.#at)) {
      this.#at += sign.length
      return true
    }
    this.#expect(this.#at, JSON.stringify(sign))
    return false
  }

  #take(pattern: RegExp, name: string): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) return this.#expect(this.#at, name)
    this.#at += found.length
    return found
  }

  #blank(): boolean {
    const found = this.#space()
    if (!found) this.#expect(this.#at, '[ \\t\\r\\n]')
    return found
  }

  #space(): boolean {
    const start = this.#at
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at++
    return this.#at > start
  }

  #end(): boolean {
    if (this.#at === this.#text.length) return true
    this.#expect(this.#at, 'EOF')
    return false
  }

  #expect(at: number, what: string): undefined {
    if (at > this.#farthest) {
      this.#farthest = at
      this.#expected = new Set()
    }
    if (at === this.#farthest) this.#expected.add(what)
    return undefined
  }

  #back(start: number): undefined {
    this.#at = start
    return undefined
  }

  #unexpected(): FilterSyntaxError {
    const expected = [...this.#expected].sort()
    const last = expected.pop() ?? 'an expression'
    const list = expected.length === 0 ? last : `${expected.join(', ')} or ${last}`
    return new FilterSyntaxError(this.#text, this.#farthest, `no match found, expected: ${list}`)
  }
}

/** Templates that are mostly sound, from a small grammar over values of every kind. */

/** mulberry32: the same seed gives the same templates. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const STRINGS = [
  '"a"',
  '"b c"',
  '""',
  '"héllo"',
  '"a,b,c"',
  '"12"',
  '"-3.5"',
  '`x\\y`',
  '"A-b_C d"',
  '"  x "',
  '(env "COLOUR")',
  '(env "LIST")',
  '"true"',
  '"a: b"',
]
const INTS = ['0', '1', '2', '7', '-3', '12', '(len "abc")', '(parseInt "5")', "'a'", '0x1F']
const FLOATS = ['1.5', '0.0', '-2.25', '1e6', '1e21', '(parseFloat "0.1")', '100000.0', '1e-7']
const LISTS = [
  '(split "," "a,b,c")',
  '(sprig_list 1 "a" 2.5 nil)',
  '(parseJSON "[1,2,\\"x\\"]")',
  '(sprig_until 3)',
  '(sprig_list)',
  '(parseYAML "[yes, 1, 2.0, ~]")',
]
const MAPS = [
  '(sprig_dict "a" 1 "b" "x")',
  '(parseJSON (env "JSON"))',
  '(splitToMap "," "=" "a=1,b=2")',
  '(parseYAML (env "YAML"))',
  '(parseJSON "{}")',
]

const TEXT_FUNCTIONS = [
  'toUpper',
  'toLower',
  'toTitle',
  'trimSpace',
  'base64Encode',
  'sha256Hex',
  'md5sum',
  'html',
  'js',
  'urlquery',
  'len',
  'not',
  'print',
  'println',
  'toJSON',
  'toYAML',
  'sprig_title',
  'sprig_snakecase',
  'sprig_kebabcase',
  'sprig_camelcase',
  'sprig_swapcase',
  'sprig_untitle',
  'sprig_nospace',
  'sprig_initials',
  'sprig_b32enc',
  'sprig_quote',
  'sprig_squote',
  'sprig_atoi',
  'sprig_int64',
  'sprig_float64',
  'parseInt',
  'parseFloat',
  'parseBool',
  'parseYAML',
  'parseJSON',
  'sprig_base',
  'sprig_dir',
  'sprig_clean',
  'sprig_ext',
  'sprig_adler32sum',
]
const PAIR_FUNCTIONS = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'modulo',
  'minimum',
  'maximum',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'and',
  'or',
  'print',
  'println',
  'sprig_add',
  'sprig_sub',
  'sprig_mul',
  'sprig_max',
  'sprig_div',
  'sprig_addf',
  'sprig_mulf',
  'sprig_default',
  'sprig_coalesce',
  'in',
  'contains',
  'index',
  'sprig_cat',
  'sprig_deepEqual',
  'sprig_ternary',
]
const ANY_FUNCTIONS = [
  'toJSON',
  'toJSONPretty',
  'toYAML',
  'toTOML',
  'spew_sdump',
  'print',
  'println',
  'len',
  'sprig_typeOf',
  'sprig_kindOf',
  'sprig_empty',
  'sprig_toString',
  'sprig_toJson',
  'sprig_int',
  'sprig_float64',
  'not',
  'html',
  'sprig_toStrings',
  'sprig_first',
  'sprig_last',
  'sprig_rest',
  'sprig_reverse',
  'sprig_uniq',
  'sprig_compact',
  'sprig_sortAlpha',
  'sprig_ceil',
  'sprig_floor',
  'sprig_add1',
]
const VERBS = [
  '%v',
  '%s',
  '%d',
  '%q',
  '%x',
  '%X',
  '%t',
  '%5v|',
  '%-5v|',
  '%05d',
  '%+v',
  '%#v',
  '%T',
  '%e',
  '%f',
  '%g',
  '%.2f',
  '%8.3f',
  '%c',
  '%U',
  '%b',
  '%o',
  '%#x',
  '%+d',
  '% d',
  '%.1s',
  '%G',
  '%E',
  '%%',
  '%z',
  '%[1]v',
  '%*d',
]

class Generator {
  constructor(private readonly random: () => number) {}

  private pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!
  }

  private value(depth: number): string {
    const simple = this.pick([STRINGS, INTS, FLOATS, LISTS, MAPS, ['true', 'false', 'nil', '.x', '$v', '.']])
    if (depth <= 0 || this.random() < 0.5) return this.pick(simple)
    return `(${this.call(depth - 1)})`
  }

  private call(depth: number): string {
    switch (Math.floor(this.random() * 7)) {
      case 0:
        return `${this.pick(TEXT_FUNCTIONS)} ${this.pick(STRINGS)}`
      case 1:
        return `${this.pick(PAIR_FUNCTIONS)} ${this.value(depth)} ${this.value(depth)}`
      case 2:
        return `${this.pick(ANY_FUNCTIONS)} ${this.value(depth)}`
      case 3:
        return `printf "${this.pick(VERBS)} ${this.pick(VERBS)}" ${this.value(depth)} ${this.value(depth)}`
      case 4:
        return `${this.value(depth)} | ${this.pick(ANY_FUNCTIONS)}`
      case 5:
        return `index ${this.pick([...LISTS, ...MAPS])} ${this.pick([...INTS, ...STRINGS])}`
      default:
        return `printf "${this.pick(VERBS)}" ${this.value(depth)}`
    }
  }

  template(): string {
    const body = `{{ $v := ${this.pick([...STRINGS, ...INTS, ...LISTS, ...MAPS])} }}`
    switch (Math.floor(this.random() * 6)) {
      case 0:
        return `${body}{{ if ${this.value(1)} }}y{{ else }}n{{ end }}{{ $v }}`
      case 1:
        return `${body}{{ range ${this.pick([...LISTS, ...MAPS, '3', '(loop 2)', '$v', '.x'])} }}<{{ . }}>{{ else }}none{{ end }}`
      case 2:
        return `${body}{{ with ${this.value(1)} }}{{ . }}{{ else }}none{{ end }}`
      case 3:
        return `${body}a {{- ${this.call(1)} -}} b`
      default:
        return `${body}{{ ${this.call(2)} }}`
    }
  }
}

export function generateTemplates(count: number, seed: number): readonly { readonly template: string }[] {
  const generator = new Generator(randomFrom(seed))
  return Array.from({ length: count }, () => ({ template: generator.template() }))
}

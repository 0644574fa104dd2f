/** Compares two JSON values and says where they differ. */
export interface Mismatch {
  /** JSON path, `$` being the value itself. */
  readonly path: string
  readonly expected: unknown
  readonly got: unknown
}

export interface CompareOptions {
  /** A member that is null, empty, zero, false or absent equals any other of these. */
  readonly zeroEqualsAbsent?: boolean
  /** Lists are compared as multisets, at every level. */
  readonly unordered?: boolean
  /** Absolute tolerance of numbers. */
  readonly tolerance?: number
  /** Texts in `expected` that stand for any text of that shape, such as `<uuid>`. */
  readonly placeholders?: Readonly<Record<string, RegExp>>
}

export const PLACEHOLDERS: Readonly<Record<string, RegExp>> = {
  '<uuid>': /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
}

export function compareJson(expected: unknown, got: unknown, options: CompareOptions = {}, path = '$'): readonly Mismatch[] {
  if (Object.is(expected, got)) return []
  if (options.zeroEqualsAbsent === true && isZero(expected) && isZero(got)) return []
  if (typeof expected === 'number' && typeof got === 'number') {
    const isClose = expected === got || Math.abs(expected - got) <= (options.tolerance ?? 0)
    return isClose ? [] : [{ path, expected, got }]
  }
  if (typeof expected === 'string' && typeof got === 'string') {
    return options.placeholders?.[expected]?.test(got) === true ? [] : [{ path, expected, got }]
  }
  if (Array.isArray(expected) && Array.isArray(got)) return compareLists(expected, got, options, path)
  if (isObject(expected) && isObject(got)) return compareObjects(expected, got, options, path)
  return [{ path, expected, got }]
}

function compareLists(expected: readonly unknown[], got: readonly unknown[], options: CompareOptions, path: string): readonly Mismatch[] {
  if (expected.length !== got.length) return [{ path: `${path}.length`, expected: expected.length, got: got.length }]
  if (options.unordered !== true) return expected.flatMap((item, at) => compareJson(item, got[at], options, `${path}[${at}]`))
  const left = [...got]
  const missing: Mismatch[] = []
  expected.forEach((item, at) => {
    const found = left.findIndex((candidate) => compareJson(item, candidate, options).length === 0)
    if (found >= 0) left.splice(found, 1)
    else missing.push({ path: `${path}[${at}]`, expected: item, got: undefined })
  })
  return missing.map((mismatch, at) => ({ ...mismatch, got: left[at] }))
}

function compareObjects(
  expected: Readonly<Record<string, unknown>>,
  got: Readonly<Record<string, unknown>>,
  options: CompareOptions,
  path: string,
): readonly Mismatch[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(got)])].sort()
  return names.flatMap((name) => compareJson(expected[name], got[name], options, `${path}.${name}`))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && Object.values(value).every(isZero)
}

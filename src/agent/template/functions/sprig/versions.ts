/** Semantic versions. Source: Sprig's documentation, "Semantic Version Functions"; constraints by the `semver` package. */
import { parse, Range, type SemVer, satisfies } from 'semver'
import type { Bytes } from '../../bytes.js'
import { refuse } from '../../failure.js'
import { boolValue, intValue, type Method, stringValue, structValue, uintValue, type Value } from '../../values.js'
import { bytesOf, type FunctionTable, ofType } from '../signature.js'

const LOOSE = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/

function read(text: Bytes): SemVer | undefined {
  const parts = LOOSE.exec(text)
  if (parts === null) return undefined
  const [, major, minor = '0', patch = '0', prerelease = '', build = ''] = parts
  return parse(`${major}.${minor}.${patch}${prerelease}${build}`) ?? undefined
}

const VERSION = '*semver.Version'

function versionValue(version: SemVer, original: Bytes): Value {
  const text = version.version + (version.build.length === 0 ? '' : `+${version.build.join('.')}`)
  const plain = (run: () => Value): Method => ({ parameters: [], run })
  const compare = (test: (order: number) => Value): Method => ({
    parameters: [VERSION],
    run: ([other]) => test(version.compare(textOf(other))),
  })
  const next = (kind: 'major' | 'minor' | 'patch') =>
    plain(() => {
      const raised = parse(version.version)!.inc(kind)
      return { ...versionValue(raised, raised.version), isPointer: false } as Value
    })
  const methods = {
    Major: plain(() => uintValue(version.major)),
    Minor: plain(() => uintValue(version.minor)),
    Patch: plain(() => uintValue(version.patch)),
    Prerelease: plain(() => stringValue(version.prerelease.join('.'))),
    Metadata: plain(() => stringValue(version.build.join('.'))),
    Original: plain(() => stringValue(original)),
    String: plain(() => stringValue(text)),
    Compare: compare((order) => intValue(order)),
    Equal: compare((order) => boolValue(order === 0)),
    LessThan: compare((order) => boolValue(order < 0)),
    GreaterThan: compare((order) => boolValue(order > 0)),
    IncMajor: next('major'),
    IncMinor: next('minor'),
    IncPatch: next('patch'),
  }
  return structValue('semver.Version', {}, { isPointer: true, methods, text })
}

function textOf(value: Value | undefined): string {
  return value?.kind === 'struct' ? (value.text ?? '') : ''
}

/** Comparators separated by commas or spaces, alternatives by `||`. */
function isSatisfied(constraint: Bytes, version: SemVer): boolean {
  return constraint.split('||').some((part) => isPartSatisfied(part.trim(), version))
}

function isPartSatisfied(part: string, version: SemVer): boolean {
  const spelled = part
    .replaceAll(',', ' ')
    .replace(/=>/g, '>=')
    .replace(/=</g, '<=')
    .replace(/(^|[\s=<>^~!v])[Xx](?=$|\s)/g, '$1*')
  const unequal = [...spelled.matchAll(/!=\s*(\S+)/g)].map((match) => match[1] ?? '')
  const rest = spelled.replace(/!=\s*\S+/g, ' ').trim()
  const isExcluded = unequal.some((one) => satisfies(version, rangeOf(one)))
  return !isExcluded && (rest === '' || satisfies(version, rangeOf(rest)))
}

function rangeOf(text: string): Range {
  try {
    return new Range(text)
  } catch {
    return refuse(`improper constraint: ${text}`)
  }
}

export const SPRIG_VERSIONS: FunctionTable = {
  semver: ofType('string', 1, ([text]) => {
    const version = read(bytesOf(text))
    return version === undefined ? refuse('Invalid Semantic Version') : versionValue(version, bytesOf(text))
  }),
  semverCompare: ofType('string', 2, ([constraint, text]) => {
    const version = read(bytesOf(text)) ?? refuse('Invalid Semantic Version')
    return boolValue(isSatisfied(bytesOf(constraint), version))
  }),
}

/** Every function that a template may call. */
import { BUILTIN_FUNCTIONS } from './builtins.js'
import { COLLECTION_FUNCTIONS } from './collections.js'
import { DATA_FUNCTIONS } from './data.js'
import { ENCODING_FUNCTIONS } from './encoding.js'
import { ENVIRONMENT_FUNCTIONS } from './environment.js'
import { JSON_FUNCTIONS } from './json.js'
import { MATH_FUNCTIONS } from './math.js'
import type { FunctionTable, TemplateFunction } from './signature.js'
import { SPEW_FUNCTIONS } from './spew.js'
import { SPRIG_CRYPTO } from './sprig/crypto.js'
import { SPRIG_DATES } from './sprig/dates.js'
import { SPRIG_DICTS } from './sprig/dicts.js'
import { SPRIG_LISTS } from './sprig/lists.js'
import { SPRIG_NUMBERS } from './sprig/numbers.js'
import { SPRIG_PATHS } from './sprig/paths.js'
import { SPRIG_REGEX } from './sprig/regex.js'
import { SPRIG_STRINGS } from './sprig/strings.js'
import { SPRIG_VALUES } from './sprig/values.js'
import { SPRIG_VERSIONS } from './sprig/versions.js'
import { STRING_FUNCTIONS } from './strings.js'
import { TIME_FUNCTIONS } from './time.js'
import { TOML_FUNCTIONS } from './toml.js'
import { YAML_FUNCTIONS } from './yaml.js'

const OWN: readonly FunctionTable[] = [
  BUILTIN_FUNCTIONS,
  COLLECTION_FUNCTIONS,
  DATA_FUNCTIONS,
  ENCODING_FUNCTIONS,
  ENVIRONMENT_FUNCTIONS,
  JSON_FUNCTIONS,
  MATH_FUNCTIONS,
  SPEW_FUNCTIONS,
  STRING_FUNCTIONS,
  TIME_FUNCTIONS,
  TOML_FUNCTIONS,
  YAML_FUNCTIONS,
]
/** Known as `sprig_…`. */
const SPRIG: readonly FunctionTable[] = [
  SPRIG_CRYPTO,
  SPRIG_DATES,
  SPRIG_DICTS,
  SPRIG_LISTS,
  SPRIG_NUMBERS,
  SPRIG_PATHS,
  SPRIG_REGEX,
  SPRIG_STRINGS,
  SPRIG_VALUES,
  SPRIG_VERSIONS,
]

const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map([
  ...OWN.flatMap((table) => Object.entries(table)),
  ...SPRIG.flatMap((table) => Object.entries(table).map(([name, called]) => [`sprig_${name}`, called] as const)),
])

export function findFunction(name: string): TemplateFunction | undefined {
  return FUNCTIONS.get(name)
}

export const FUNCTION_NAMES: readonly string[] = [...FUNCTIONS.keys()]

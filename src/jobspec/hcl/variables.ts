/** Input variables: declared in the file, given by default, environment map, variables files and arguments; the last wins. */
import { type Attribute, attributesOf, type Block, type Body, contentOf } from '../decode/body.js'
import { failType } from '../decode/scalars.js'
import { fault, type SourceText, suggestName } from '../mistakes.js'
import type { Expression, Span } from '../syntax.js'
import { evaluateConstant, walk } from './constants.js'
import { convert } from './convert.js'
import { evaluate } from './evaluate.js'
import { Evaluation, type Scope } from './evaluation.js'
import { readEmbeddedExpression, readExpressionText } from './scan.js'
import { isIdentifier } from './tokens.js'
import { readType } from './types.js'
import { objectValue, stringValue, type Type, typeOf, type Value } from './values.js'

interface Given {
  readonly value: Value
  /** `default`, `env`, `varfile`, `cmd`: who gave it, as people read it in a refusal. */
  readonly from: string
  readonly source: SourceText
  readonly span: Span | undefined
}

interface Variable {
  readonly name: string
  /** Undefined: whatever is given. */
  readonly type: Type | undefined
  readonly validations: readonly Validation[]
  given: Given | undefined
  /** A value was given, and its fault has been told. */
  isRefused: boolean
}

interface Validation {
  readonly condition: Expression
  readonly message: string
  readonly scope: Scope
}

export interface VariableInputs {
  /** `name → text`, lowest after defaults; unknown names are ignored. */
  readonly environment: Readonly<Record<string, string>>
  /** Parsed variables files, in order. */
  readonly files: readonly Body[]
  /** `name → text`, highest. */
  readonly values: Readonly<Record<string, string>>
  /** Unknown names in files and values are mistakes; otherwise they are warned of. */
  readonly isStrict: boolean
  /** Where values belong, for people. */
  readonly valuesFile: string | undefined
}

const VARIABLE = { attributes: new Set(['type', 'default', 'description']), blocks: new Map([['validation', []]]), expandsDynamic: false }
const VALIDATION = { attributes: new Set(['condition', 'error_message']), blocks: new Map(), expandsDynamic: false }

/** The object that `var` is. Faults are told; whoever calls stops when there are any. */
export function resolveVariables(evaluation: Evaluation, blocks: readonly Block[], inputs: VariableInputs): Value {
  const variables = declare(evaluation, blocks)
  giveTexts(evaluation, variables, inputs.environment, 'env', false)
  for (const file of inputs.files) giveFile(evaluation, variables, file, inputs.isStrict)
  giveTexts(evaluation, variables, inputs.values, 'cmd', inputs.isStrict)
  const entries: [string, Value][] = []
  for (const variable of variables.values()) {
    const { given } = variable
    if (given === undefined && variable.isRefused) continue
    if (given === undefined) {
      evaluation.faults.push({
        summary: `Unset variable "${variable.name}"`,
        detail: `The variable has neither a default nor a value; give it one in ${inputs.valuesFile ?? 'a *.vars.hcl file'}, or a default.`,
      })
      continue
    }
    validate(evaluation, variable, given)
    entries.push([variable.name, given.value])
  }
  return objectValue(entries)
}

function declare(evaluation: Evaluation, blocks: readonly Block[]): Map<string, Variable> {
  const variables = new Map<string, Variable>()
  const add = (variable: Variable | undefined): void => {
    if (variable === undefined) return
    if (variables.has(variable.name))
      evaluation.faults.push({ summary: 'Duplicate variable', detail: `The variable "${variable.name}" is declared twice.` })
    else variables.set(variable.name, variable)
  }
  for (const block of blocks) {
    if (block.type === 'variable') add(declareOne(evaluation, block))
    else if (block.type === 'variables') {
      for (const attribute of attributesOf(evaluation, block.body)) {
        const value = evaluateConstant(evaluation, attribute.scope, attribute.expression)
        if (value !== undefined)
          add({
            name: attribute.name,
            type: typeOf(value),
            validations: [],
            isRefused: false,
            given: { value, from: 'default', source: attribute.scope.source, span: attribute.expression },
          })
      }
    }
  }
  return variables
}

function declareOne(evaluation: Evaluation, block: Block): Variable | undefined {
  const label = block.labels[0]!
  const { source } = block.body.scope
  if (!isIdentifier(label.value)) {
    evaluation.fail(
      source,
      label,
      'Invalid variable name',
      'A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.',
    )
    return undefined
  }
  const before = evaluation.faults.length
  const { attributes, blocks } = contentOf(evaluation, block.body, VARIABLE)
  const typeAttribute = attributes.get('type')
  const type = typeAttribute === undefined ? undefined : declaredType(evaluation, block.body, typeAttribute.expression)
  const fallback = attributes.get('default')
  const given = fallback === undefined ? undefined : defaultOf(evaluation, block.body.scope, fallback.expression, type)
  const description = attributes.get('description')
  if (description !== undefined) checkDescription(evaluation, block.body.scope, description)
  const validations = blocks.flatMap((inner) => declareValidation(evaluation, label.value, inner))
  if (evaluation.faults.length > before && type === undefined && typeAttribute !== undefined) return undefined
  return {
    name: label.value,
    type: type ?? (given === undefined ? undefined : typeOf(given.value)),
    validations,
    given,
    isRefused: fallback !== undefined && given === undefined,
  }
}

function checkDescription(evaluation: Evaluation, scope: Scope, description: Attribute): void {
  const value = evaluateConstant(evaluation, scope, description.expression)
  if (value === undefined || value.kind === 'unknown') return
  const converted = value.kind === 'null' ? { refusal: 'string required' } : convert(value, 'string')
  if ('refusal' in converted)
    failType(evaluation, description, value.kind === 'null' ? converted.refusal : `string required, but have ${value.kind}`)
}

function declaredType(evaluation: Evaluation, body: Body, written: Expression): Type | undefined {
  const { source } = body.scope
  const expression = body.kind === 'json' ? embeddedType(evaluation, source, written) : written
  if (expression === undefined) return undefined
  const read = readType(expression)
  if ('type' in read) return read.type
  evaluation.fail(source, read.at, 'Invalid type specification', read.refusal)
  return undefined
}

/** In JSON the type is a text that holds the expression. */
function embeddedType(evaluation: Evaluation, source: SourceText, written: Expression): Expression | undefined {
  const part = written.kind === 'template' ? written.parts[0] : undefined
  if (part?.kind !== 'string') return written
  const read = readEmbeddedExpression(source, part.value, written, evaluation.limits)
  if (read.kind === 'read') return read.value
  evaluation.faults.push(read.fault)
  return undefined
}

function defaultOf(evaluation: Evaluation, scope: Scope, expression: Expression, type: Type | undefined): Given | undefined {
  const value = evaluateConstant(evaluation, scope, expression)
  if (value === undefined) return undefined
  const converted = type === undefined ? { value } : convert(value, type)
  if ('value' in converted) return { value: converted.value, from: 'default', source: scope.source, span: expression }
  evaluation.fail(
    scope.source,
    expression,
    'Invalid default value for variable',
    `This default value is not compatible with the variable's type constraint: ${converted.refusal}.`,
  )
  return undefined
}

function declareValidation(evaluation: Evaluation, name: string, block: Block): Validation[] {
  const { body } = block
  const { source } = body.scope
  const { attributes } = contentOf(evaluation, body, VALIDATION)
  const condition = attributes.get('condition')?.expression
  const message = attributes.get('error_message')?.expression
  for (const [required, found] of [
    ['condition', condition],
    ['error_message', message],
  ] as const) {
    if (found === undefined)
      evaluation.fail(
        source,
        body.missing,
        'Missing required argument',
        `The argument "${required}" is required, but no definition was found.`,
      )
  }
  if (condition === undefined || message === undefined) return []
  checkReferences(evaluation, source, name, condition)
  const text = evaluateConstant(evaluation, body.scope, message)
  if (text === undefined) return []
  if (text.kind !== 'string' || text.value.trim() === '') {
    evaluation.fail(source, message, 'Invalid validation error message', 'The error message must be a text that is not blank.')
    return []
  }
  return [{ condition, message: text.value, scope: body.scope }]
}

/** A condition speaks of its own variable, and of nothing else. */
function checkReferences(evaluation: Evaluation, source: SourceText, name: string, condition: Expression): void {
  let isOwn = false
  for (const part of walk(condition)) {
    if (part.kind !== 'traversal' || part.root !== 'var') continue
    const [step] = part.steps
    const named = step?.kind === 'name' ? step.name : step?.key.kind === 'string' ? step.key.value : undefined
    if (named === name) isOwn = true
    else
      evaluation.fail(
        source,
        part,
        'Invalid reference in variable validation',
        `The condition for variable "${name}" can only refer to the variable itself, using var.${name}.`,
      )
  }
  if (!isOwn)
    evaluation.fail(
      source,
      condition,
      'Invalid variable validation condition',
      `The condition for variable "${name}" must refer to var.${name} in order to test incoming values.`,
    )
}

function giveTexts(
  evaluation: Evaluation,
  variables: ReadonlyMap<string, Variable>,
  texts: Readonly<Record<string, string>>,
  from: 'env' | 'cmd',
  isStrict: boolean,
): void {
  for (const [name, text] of Object.entries(texts)) {
    const variable = variables.get(name)
    if (variable !== undefined) {
      const given = readText(evaluation, variable, text, from)
      if (given !== undefined) variable.given = given
    } else if (from === 'cmd') tellUndefined(evaluation, variables, name, 'Undefined -var variable', isStrict)
  }
}

function tellUndefined(
  evaluation: Evaluation,
  variables: ReadonlyMap<string, Variable>,
  name: string,
  summary: string,
  isStrict: boolean,
): void {
  const near = suggestName(name, variables.keys())
  const detail = `A "${name}" variable value was given, but the job declares no such variable.${near === undefined ? '' : ` Did you mean "${near}"?`}`
  if (isStrict) evaluation.faults.push({ summary, detail })
  else evaluation.warnings.push(detail)
}

/** Taken literally for texts, numbers and variables without a type; an expression otherwise. */
function readText(evaluation: Evaluation, variable: Variable, text: string, from: 'env' | 'cmd'): Given | undefined {
  const where = from === 'env' ? 'environment' : 'arguments'
  const source = { path: `<value for var.${variable.name} from ${where}>`, text }
  const { type } = variable
  const isLiteral = type === undefined || type === 'string' || type === 'number' || type === 'dynamic'
  const value = isLiteral ? stringValue(text) : readValue(evaluation, source)
  if (value === undefined) return undefined
  const converted = type === undefined ? { value } : convert(value, type)
  if ('value' in converted) return { value: converted.value, from, source, span: { start: 0, end: text.length } }
  const summary = from === 'env' ? 'Invalid argument value for environment variable' : 'Invalid argument value for -var variable'
  const detail = `The value given for "${variable.name}" is not of its type: ${converted.refusal}.`
  if (isLiteral) evaluation.faults.push({ summary, detail, source: { path: '', text: '' } })
  else evaluation.faults.push(fault(source, { start: 0, end: text.length }, summary, detail))
  variable.isRefused = true
  return undefined
}

function readValue(evaluation: Evaluation, source: SourceText): Value | undefined {
  const read = readExpressionText(source.path, source.text, evaluation.limits)
  if (read.kind === 'read') return evaluateConstant(evaluation, { source, names: new Map(), parent: undefined }, read.value)
  evaluation.faults.push(read.fault)
  return undefined
}

function giveFile(evaluation: Evaluation, variables: ReadonlyMap<string, Variable>, body: Body, isStrict: boolean): void {
  for (const attribute of attributesOf(evaluation, body)) {
    const { name, scope, expression } = attribute
    const variable = variables.get(name)
    if (variable === undefined) {
      tellUndefined(evaluation, variables, name, 'Undefined variable', isStrict)
      continue
    }
    const value = evaluateConstant(evaluation, scope, expression)
    if (value === undefined) {
      variable.isRefused = true
      continue
    }
    const converted = variable.type === undefined ? { value } : convert(value, variable.type)
    if ('value' in converted) variable.given = { value: converted.value, from: 'varfile', source: scope.source, span: expression }
    else {
      variable.isRefused = true
      evaluation.fail(
        scope.source,
        expression,
        'Invalid value for variable',
        `The value for "${name}" is not of its type: ${converted.refusal}.`,
      )
    }
  }
}

function validate(evaluation: Evaluation, variable: Variable, given: Given): void {
  for (const validation of variable.validations) {
    const holds = evaluateCondition(evaluation, variable, given, validation)
    if (holds !== false) continue
    const summary = `Invalid value for ${given.from} variable`
    const detail = `${validation.message}\n\nThis was checked by the validation rule of variable "${variable.name}".`
    evaluation.faults.push(
      given.span === undefined ? { summary, detail, source: given.source } : fault(given.source, given.span, summary, detail),
    )
  }
}

/** Conditions see their own variable, all functions, and no files. */
function evaluateCondition(evaluation: Evaluation, variable: Variable, given: Given, validation: Validation): boolean | undefined {
  const inner = new Evaluation(evaluation.limits, undefined, undefined, evaluation.budget)
  const names = new Map([['var', objectValue([[variable.name, given.value]])]])
  const scope = { source: validation.scope.source, names, parent: undefined }
  const value = evaluate(inner, scope, validation.condition)
  evaluation.faults.push(...inner.faults)
  if (value.kind === 'unknown') return undefined
  const converted = value.kind === 'null' ? { refusal: 'null' } : convert(value, 'bool')
  if ('value' in converted && converted.value.kind === 'bool') return converted.value.value
  evaluation.fail(scope.source, validation.condition, 'Invalid variable validation result', 'The condition must give either true or false.')
  return undefined
}

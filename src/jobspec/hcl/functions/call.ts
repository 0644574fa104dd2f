/** Calls of functions: arguments are evaluated, converted to what the function asks for, and handed over. */
import { suggestFirst, suggestName } from '../../mistakes.js'
import type { Call, Expression, Span } from '../../syntax.js'
import { convert } from '../convert.js'
import { evaluate } from '../evaluate.js'
import type { Evaluation, Scope } from '../evaluation.js'
import { readType } from '../types.js'
import { FALSE, itemsOf, TRUE, textSteps, UNKNOWN, type Value } from '../values.js'
import { FUNCTIONS } from './functions.js'
import { type CallContext, type FunctionSignature, type Parameter, Refusal } from './signature.js'

/** These look at their arguments before they are evaluated. */
const SPECIAL: Readonly<Record<string, (evaluation: Evaluation, scope: Scope, call: Call) => Value>> = {
  can: callCan,
  try: callTry,
  convert: callConvert,
}

export function callFunction(evaluation: Evaluation, scope: Scope, call: Call): Value {
  const isJob = !evaluation.isRuntime
  const special = isJob && Object.hasOwn(SPECIAL, call.name) ? SPECIAL[call.name] : undefined
  if (special !== undefined) return special(evaluation, scope, call)
  const functions = evaluation.functions ?? FUNCTIONS
  const signature = Object.hasOwn(functions, call.name) ? functions[call.name] : undefined
  if (signature === undefined) {
    evaluation.budget.spend(textSteps(call.name.length * call.name.length), scope.source, call)
    const near = isJob
      ? suggestName(call.name, [...Object.keys(functions), ...Object.keys(SPECIAL)])
      : suggestFirst(call.name, Object.keys(functions).sort())
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`
    evaluation.fail(scope.source, nameSpan(call), 'Call to unknown function', `There is no function named "${call.name}".${hint}`)
    return UNKNOWN
  }
  const args = evaluateArguments(evaluation, scope, call)
  if (args === undefined) return UNKNOWN
  for (const arg of args) evaluation.walk(arg, scope.source, call)
  if (!hasRightCount(evaluation, scope, call, signature, args.length)) return UNKNOWN
  const converted = convertArguments(evaluation, scope, call, signature, args)
  return converted === undefined ? UNKNOWN : run(evaluation, scope, call, signature, converted)
}

function nameSpan(call: Call): Span {
  return { start: call.start, end: call.nameEnd }
}

function evaluateArguments(evaluation: Evaluation, scope: Scope, call: Call): readonly Value[] | undefined {
  const args = call.args.map((arg) => evaluate(evaluation, scope, arg))
  if (args.some((arg) => arg.kind === 'unknown')) return undefined
  if (!call.isExpanded) return args
  const last = args.at(-1)
  const items = last === undefined ? undefined : itemsOf(last)
  if (items !== undefined) return [...args.slice(0, -1), ...items]
  evaluation.fail(
    scope.source,
    call.args.at(-1) ?? call,
    'Invalid expanding argument value',
    'The expanding argument (indicated by ...) must be of a tuple, list, or set type.',
  )
  return undefined
}

function hasRightCount(evaluation: Evaluation, scope: Scope, call: Call, signature: FunctionSignature, count: number): boolean {
  const { parameters, rest } = signature
  if (count < parameters.length) {
    const missing = parameters[count]
    const at = { start: call.end - 1, end: call.end }
    evaluation.fail(
      scope.source,
      at,
      'Not enough function arguments',
      `Function "${call.name}" expects ${parameters.length} argument(s). Missing value for "${missing?.name}".`,
    )
    return false
  }
  if (count <= parameters.length || rest !== undefined) return true
  const extra = call.args[parameters.length] ?? call
  evaluation.fail(
    scope.source,
    extra,
    'Too many function arguments',
    `Function "${call.name}" expects only ${parameters.length} argument(s).`,
  )
  return false
}

function convertArguments(
  evaluation: Evaluation,
  scope: Scope,
  call: Call,
  signature: FunctionSignature,
  args: readonly Value[],
): readonly Value[] | undefined {
  const converted: Value[] = []
  for (const [at, arg] of args.entries()) {
    const parameter = signature.parameters[at] ?? signature.rest
    if (parameter === undefined) return undefined
    const one = convertArgument(arg, parameter)
    if ('refusal' in one) {
      const span = call.args[Math.min(at, call.args.length - 1)] ?? call
      evaluation.fail(scope.source, span, 'Invalid function argument', `Invalid value for "${parameter.name}" parameter: ${one.refusal}.`)
      return undefined
    }
    converted.push(one.value)
  }
  return converted
}

function convertArgument(value: Value, parameter: Parameter): ReturnType<typeof convert> {
  if (value.kind === 'null' && parameter.allowsNull !== true) return { refusal: 'argument must not be null' }
  return convert(value, parameter.type)
}

function run(evaluation: Evaluation, scope: Scope, call: Call, signature: FunctionSignature, args: readonly Value[]): Value {
  try {
    const value = signature.run(args, contextOf(evaluation, scope, call))
    if (value.kind === 'string') evaluation.produce(value.value.length, scope.source, call)
    return value
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const blamed = error.argument === undefined ? undefined : call.args[error.argument]
    const summary = blamed === undefined ? 'Error in function call' : 'Invalid function argument'
    const span = blamed ?? { start: call.start, end: call.nameEnd + 1 }
    evaluation.fail(scope.source, span, summary, `Call to function "${call.name}" failed: ${error.message}.`)
    return UNKNOWN
  }
}

function contextOf(evaluation: Evaluation, scope: Scope, call: Call): CallContext {
  return {
    files: evaluation.files,
    textOf: (path) => {
      const found = evaluation.files?.texts.get(path)
      if (found === undefined) evaluation.needs.add(path)
      else evaluation.used.add(path)
      return found
    },
    depend: (path) => void evaluation.used.add(path),
    produce: (amount) => evaluation.produce(amount, scope.source, call),
    spend: (steps) => evaluation.budget.spend(steps, scope.source, call),
    warn: (sentence) => evaluation.warnings.push(sentence),
    nextSeed: () => `${scope.source.path}#${evaluation.nextSeed()}`,
  }
}

function callCan(evaluation: Evaluation, scope: Scope, call: Call): Value {
  const [argument] = call.args
  if (argument === undefined || call.args.length > 1) return wrongCount(evaluation, scope, call, 'exactly one argument')
  const { faults } = evaluation.withoutFaults(() => evaluate(evaluation, scope, argument))
  return faults.length === 0 ? TRUE : FALSE
}

function callTry(evaluation: Evaluation, scope: Scope, call: Call): Value {
  if (call.args.length === 0) return wrongCount(evaluation, scope, call, 'at least one argument')
  for (const argument of call.args) {
    const { result, faults } = evaluation.withoutFaults(() => evaluate(evaluation, scope, argument))
    if (faults.length === 0) return result
  }
  evaluation.fail(
    scope.source,
    { start: call.start, end: call.nameEnd + 1 },
    'Error in function call',
    'Call to function "try" failed: no expression succeeded.',
  )
  return UNKNOWN
}

function callConvert(evaluation: Evaluation, scope: Scope, call: Call): Value {
  const [argument, typeExpression] = call.args
  if (argument === undefined || typeExpression === undefined || call.args.length > 2)
    return wrongCount(evaluation, scope, call, 'a value and a type')
  const value = evaluate(evaluation, scope, argument)
  evaluation.walk(value, scope.source, argument)
  const type = readType(typeExpression)
  if ('refusal' in type) return refuseType(evaluation, scope, typeExpression, type.refusal)
  const converted = convert(value, type.type)
  if ('value' in converted) return converted.value
  evaluation.fail(scope.source, argument, 'Invalid function argument', `Call to function "convert" failed: ${converted.refusal}.`)
  return UNKNOWN
}

function refuseType(evaluation: Evaluation, scope: Scope, expression: Expression, refusal: string): Value {
  evaluation.fail(scope.source, expression, 'Invalid type specification', refusal)
  return UNKNOWN
}

function wrongCount(evaluation: Evaluation, scope: Scope, call: Call, wanted: string): Value {
  evaluation.fail(
    scope.source,
    nameSpan(call),
    call.args.length === 0 ? 'Not enough function arguments' : 'Too many function arguments',
    `Function "${call.name}" expects ${wanted}.`,
  )
  return UNKNOWN
}

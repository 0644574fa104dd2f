/** Walks a parsed template over data. Source: Go's text/template documentation; where it is silent, what the program does. */
import { assignable, constant, type Fit } from './assign.js'
import type { Budget } from './budget.js'
import type { Bytes } from './bytes.js'
import { FunctionRefusal, placeOf, TemplateFailure } from './failure.js'
import { sprint } from './format/print.js'
import type { CallContext, TemplateFunction } from './functions/signature.js'
import type { Body, Command, NumberNode, Operand, ParsedTemplate, Pipeline, TemplateNode } from './nodes.js'
import {
  ANY,
  ANYTHING,
  boolValue,
  canBeNil,
  type GoType,
  INVALID,
  intValue,
  isTrue,
  type Method,
  mapTypes,
  member,
  sortedEntries,
  stringValue,
  typeOf,
  uintValue,
  type Value,
  zeroOf,
} from './values.js'

const TEMPLATE_DEPTH_MAX = 200
const INT_MAX = 2n ** 63n - 1n

export interface Execution {
  readonly template: ParsedTemplate
  readonly functions: (name: string) => TemplateFunction | undefined
  readonly context: Omit<CallContext, 'execute'>
  readonly budget: Budget
  /** A key that a map lacks is a failure instead of no value. */
  readonly failsOnMissingKey: boolean
}

/** @throws TemplateFailure with the line and column of what failed */
export function executeTemplate(execution: Execution): Bytes {
  const executor = new Executor(execution, [], 0)
  executor.run(execution.template.body, INVALID)
  return executor.output.join('')
}

interface Variable {
  readonly name: Bytes
  value: Value
}

type Flow = 'break' | 'continue' | undefined

class Executor {
  private readonly variables: Variable[] = []
  private position = 0
  private readonly context: CallContext

  constructor(
    private readonly execution: Execution,
    readonly output: Bytes[],
    private readonly depth: number,
  ) {
    this.context = { ...execution.context, execute: (name, dot) => this.executeByName(name, dot) }
  }

  run(body: Body, dot: Value): void {
    this.variables.push({ name: '$', value: dot })
    this.walkAll(body, dot)
  }

  private fail(message: string, position = this.position): never {
    const { line, column } = placeOf(this.execution.template.source, position)
    throw new TemplateFailure(message, line, column)
  }

  private write(text: Bytes): void {
    this.limited(() => this.execution.budget.produce(text.length))
    this.output.push(text)
  }

  /** Runs what may find the budget spent, and tells where. */
  private limited<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      return error instanceof FunctionRefusal ? this.fail(error.message) : rethrow(error)
    }
  }

  private executeByName(name: Bytes, dot: Value): Bytes {
    const body = this.execution.template.definitions.get(name)
    if (body === undefined) throw new FunctionRefusal(`no template "${name}" is defined`)
    return this.nested([], body, dot).join('')
  }

  private nested(output: Bytes[], body: Body, dot: Value): readonly Bytes[] {
    if (this.depth >= TEMPLATE_DEPTH_MAX) this.fail(`exceeded maximum template depth (${TEMPLATE_DEPTH_MAX})`)
    const executor = new Executor(this.execution, output, this.depth + 1)
    executor.run(body, dot)
    return output
  }

  private walkAll(body: Body, dot: Value): Flow {
    for (const node of body) {
      const flow = this.walk(node, dot)
      if (flow !== undefined) return flow
    }
    return undefined
  }

  private walk(node: TemplateNode, dot: Value): Flow {
    this.limited(() => this.execution.budget.step())
    switch (node.kind) {
      case 'text':
        this.write(node.text)
        return undefined
      case 'break':
      case 'continue':
        return node.kind
      case 'action':
        this.position = node.position
        this.action(node.pipeline, dot)
        return undefined
      case 'template':
        return this.callTemplate(node, dot)
      case 'range':
        return this.range(node, dot)
      case 'if':
      case 'with':
        return this.condition(node, dot)
    }
  }

  private action(pipeline: Pipeline, dot: Value): void {
    const value = this.pipeline(pipeline, dot)
    if (pipeline.declares.length > 0) return
    if (value.kind === 'channel') this.fail(`can't print ${pipeline.source} of type ${value.type}`)
    this.write(value.kind === 'invalid' ? '<no value>' : sprint([value]))
  }

  private callTemplate(node: Extract<TemplateNode, { kind: 'template' }>, dot: Value): Flow {
    this.position = node.position
    const body = this.execution.template.definitions.get(node.name)
    if (body === undefined) return this.fail(`template "${node.name}" not defined`)
    const inner = node.pipeline === undefined ? INVALID : this.pipeline(node.pipeline, dot)
    this.nested(this.output, body, inner)
    return undefined
  }

  private condition(node: Extract<TemplateNode, { kind: 'if' | 'with' | 'range' }>, dot: Value): Flow {
    const scope = this.variables.length
    const value = this.pipeline(node.pipeline, dot)
    const isChosen = isTrue(value)
    const flow = this.walkAll(isChosen ? node.body : (node.otherwise ?? []), isChosen && node.kind === 'with' ? value : dot)
    this.variables.length = scope
    return flow
  }

  private range(node: Extract<TemplateNode, { kind: 'if' | 'with' | 'range' }>, dot: Value): Flow {
    const scope = this.variables.length
    const value = this.pipeline(node.pipeline, dot)
    const inner = this.variables.length
    let isEmpty = true
    for (const [index, element] of this.iterate(value, node.pipeline)) {
      isEmpty = false
      this.assignIteration(node.pipeline, index, element)
      const flow = this.walkAll(node.body, element)
      this.variables.length = inner
      if (flow === 'break') break
    }
    this.variables.length = scope
    const flow = isEmpty ? this.walkAll(node.otherwise ?? [], dot) : undefined
    return flow
  }

  private assignIteration({ declares, isAssignment }: Pipeline, index: Value, element: Value): void {
    const values = declares.length > 1 ? [index, element] : [element]
    declares.forEach((name, at) => {
      if (isAssignment) this.assign(name, values[at] ?? INVALID)
      else this.variables[this.variables.length - declares.length + at]!.value = values[at] ?? INVALID
    })
  }

  private *iterate(value: Value, pipeline: Pipeline): Iterable<readonly [index: Value, element: Value]> {
    switch (value.kind) {
      case 'invalid':
        return
      case 'nil':
        if (value.type === ANY || value.type.startsWith('*')) this.fail(`range can't iterate over <nil>`)
        return
      case 'int':
      case 'uint':
        if (pipeline.declares.length > 1) this.fail(`can't use ${value.value} to iterate over more than one variable`)
        for (let at = 0n; at < value.value; at++)
          yield [INVALID, value.kind === 'int' ? intValue(at, value.type) : uintValue(at, value.type)]
        return
      case 'slice':
      case 'channel':
        for (const [at, item] of value.items.entries()) yield [intValue(at), item]
        return
      case 'map':
        for (const { key, value: element } of sortedEntries(value)) yield [key, element]
        return
      default:
        this.fail(`range can't iterate over ${sprint([value])}`)
    }
  }

  private assign(name: Bytes, value: Value): void {
    const variable = this.variables.findLast((one) => one.name === name)
    if (variable === undefined) this.fail(`undefined variable: ${name}`)
    variable.value = value
  }

  private pipeline(pipeline: Pipeline, dot: Value): Value {
    this.position = pipeline.position
    let value: Value | undefined
    for (const command of pipeline.commands) {
      value = this.command(command, dot, value)
      if (value.kind === 'nil' && value.type === ANY) value = INVALID
    }
    const result = value ?? INVALID
    if (pipeline.isAssignment) for (const name of pipeline.declares) this.assign(name, result)
    else for (const name of pipeline.declares) this.variables.push({ name, value: result })
    return result
  }

  /** `final` is what came through the pipe. */
  private command(command: Command, dot: Value, final: Value | undefined): Value {
    const [first, ...rest] = command.operands
    this.position = first.position
    switch (first.kind) {
      case 'field':
        return this.fieldPath(dot, dot, first.path, rest, final)
      case 'chain':
        return this.fieldPath(dot, this.chainBase(first, dot), first.path, rest, final)
      case 'function':
        return this.callFunction(first.name, rest, dot, final, command.position)
      case 'variable':
        if (first.path.length > 0) return this.fieldPath(dot, this.variable(first.name), first.path, rest, final)
        break
      case 'nil':
        return this.fail('nil is not a command')
    }
    if (rest.length > 0 || final !== undefined) this.fail(`can't give argument to non-function ${first.source}`)
    return this.operand(first, dot)
  }

  private chainBase(chain: Extract<Operand, { kind: 'chain' }>, dot: Value): Value {
    return chain.base.kind === 'nil' ? this.fail(`indirection through explicit nil in ${chain.source}`) : this.operand(chain.base, dot)
  }

  /** What an operand is where any value will do. */
  private operand(operand: Operand, dot: Value): Value {
    this.position = operand.position
    switch (operand.kind) {
      case 'bool':
        return boolValue(operand.value)
      case 'string':
        return stringValue(operand.value)
      case 'number':
        return this.idealNumber(operand)
      case 'nil':
        return this.fail('nil is not a command')
      case 'dot':
        return dot
      case 'field':
        return this.fieldPath(dot, dot, operand.path, [], undefined)
      case 'variable':
        return this.fieldPath(dot, this.variable(operand.name), operand.path, [], undefined)
      case 'chain':
        return this.fieldPath(dot, this.chainBase(operand, dot), operand.path, [], undefined)
      case 'function':
        return this.callFunction(operand.name, [], dot, undefined, operand.position)
      case 'pipeline':
        return this.pipeline(operand, dot)
    }
  }

  private idealNumber(number: NumberNode): Value {
    if (number.isWrittenAsFloat) return { kind: 'float', type: 'float64', value: number.float ?? 0 }
    const integer = number.integer ?? 0n
    return integer > INT_MAX ? this.fail(`${number.source} overflows int`) : intValue(integer)
  }

  private variable(name: Bytes): Value {
    return this.variables.findLast((one) => one.name === name)?.value ?? this.fail(`undefined variable: ${name}`)
  }

  private fieldPath(dot: Value, receiver: Value, path: readonly Bytes[], args: readonly Operand[], final: Value | undefined): Value {
    let value = receiver
    path.forEach((name, index) => {
      const isLast = index === path.length - 1
      value = this.field(dot, value, name, isLast ? args : [], isLast ? final : undefined)
    })
    return value
  }

  private field(dot: Value, receiver: Value, name: Bytes, args: readonly Operand[], final: Value | undefined): Value {
    const { position } = this
    if (receiver.kind === 'invalid') {
      return this.execution.failsOnMissingKey ? this.fail(`nil data; no entry for key "${name}"`) : INVALID
    }
    if (receiver.kind === 'nil') return this.nilField(receiver, name)
    const methods = receiver.kind === 'struct' || receiver.kind === 'map' ? receiver.methods : undefined
    const method = methods !== undefined && Object.hasOwn(methods, name) ? methods[name] : undefined
    if (method !== undefined) return this.callMethod(name, method, args, dot, final, position)
    const hasArguments = args.length > 0 || final !== undefined
    if (receiver.kind === 'struct' && Object.hasOwn(receiver.fields, name)) {
      if (hasArguments) this.fail(`${name} has arguments but cannot be invoked as function`)
      return receiver.fields[name] ?? INVALID
    }
    if (receiver.kind === 'map' && isKeyedByText(receiver.type)) {
      if (hasArguments) this.fail(`${name} is not a method but has arguments`)
      const found = member(receiver, name)
      if (found === undefined && this.execution.failsOnMissingKey) this.fail(`map has no entry for key "${name}"`)
      return found ?? zeroOf(mapTypes(receiver.type)[1])
    }
    return this.fail(`can't evaluate field ${name} in type ${typeOf(receiver)}`)
  }

  private nilField(receiver: Extract<Value, { kind: 'nil' }>, name: Bytes): Value {
    if (receiver.type.startsWith('map[') && isKeyedByText(receiver.type)) return zeroOf(mapTypes(receiver.type)[1])
    if (receiver.type === ANY || receiver.type.startsWith('*')) return this.fail(`nil pointer evaluating ${receiver.type}.${name}`)
    return this.fail(`can't evaluate field ${name} in type ${receiver.type}`)
  }

  private callMethod(name: Bytes, method: Method, args: readonly Operand[], dot: Value, final: Value | undefined, position: number): Value {
    return this.call(name, { ...method, run: (values) => method.run(values) }, args, dot, final, position)
  }

  private callFunction(name: Bytes, args: readonly Operand[], dot: Value, final: Value | undefined, position: number): Value {
    if (name === 'and' || name === 'or') return this.junction(name, args, dot, final)
    const called = this.execution.functions(name) ?? this.fail(`"${name}" is not a defined function`)
    return this.call(name, called, args, dot, final, position)
  }

  /** `and` and `or` look at no more arguments than they need. */
  private junction(name: 'and' | 'or', args: readonly Operand[], dot: Value, final: Value | undefined): Value {
    if (args.length === 0 && final === undefined) this.fail(`wrong number of args for ${name}: want at least 1 got 0`)
    let value: Value = INVALID
    for (const operand of args) {
      value = this.argument(operand, ANYTHING, dot)
      if (isTrue(value) === (name === 'or')) return value
    }
    return final ?? value
  }

  private call(
    name: Bytes,
    called: TemplateFunction,
    args: readonly Operand[],
    dot: Value,
    final: Value | undefined,
    position: number,
  ): Value {
    this.checkCount(name, called, args.length, final !== undefined)
    const values = args.map((operand, index) => this.argument(operand, parameterType(called, index), dot))
    if (final !== undefined) values.push(this.taken(assignable(final, parameterType(called, args.length))))
    this.limited(() => {
      this.execution.budget.step()
      for (const value of values) this.execution.budget.make(sizeOf(value))
    })
    try {
      return this.charged(called.run(values, this.context))
    } catch (error) {
      return error instanceof FunctionRefusal ? this.fail(`error calling ${name}: ${error.message}`, position) : rethrow(error)
    }
  }

  private charged(value: Value): Value {
    this.execution.budget.make(sizeOf(value))
    return value
  }

  private checkCount(name: Bytes, called: TemplateFunction, given: number, hasFinal: boolean): void {
    const count = given + (hasFinal ? 1 : 0)
    const wanted = called.parameters.length
    if (called.isVariadic) {
      if (count < wanted - 1) this.fail(`wrong number of args for ${name}: want at least ${wanted - 1} got ${given}`)
    } else if (count !== wanted) this.fail(`wrong number of args for ${name}: want ${wanted} got ${count}`)
  }

  private taken(fit: Fit): Value {
    return 'problem' in fit ? this.fail(fit.problem) : fit
  }

  /** Evaluates an operand for a parameter: constants take the parameter's type, everything else must have it. */
  private argument(operand: Operand, type: GoType, dot: Value): Value {
    this.position = operand.position
    if (operand.kind === 'nil') return canBeNil(type) ? zeroOf(type) : this.fail(`cannot assign nil to ${type}`)
    const isConstant = operand.kind === 'bool' || operand.kind === 'string' || operand.kind === 'number'
    if (!isConstant) return this.taken(assignable(this.operand(operand, dot), type))
    if (type === ANY || type === ANYTHING) return this.operand(operand, dot)
    return this.taken(constant(operand, type))
  }
}

function sizeOf(value: Value): number {
  if (value.kind === 'string') return value.value.length
  if (value.kind === 'slice' || value.kind === 'channel') return value.items.length
  return value.kind === 'map' ? value.entries.size : 0
}

function isKeyedByText(type: GoType): boolean {
  const [key] = mapTypes(type)
  return key === 'string' || key === ANY
}

function parameterType(called: TemplateFunction, index: number): GoType {
  return called.parameters[Math.min(index, called.parameters.length - 1)] ?? ANY
}

function rethrow(error: unknown): never {
  throw error
}

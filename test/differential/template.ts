/**
 * The template engine beside the real program: `CONSUL_TEMPLATE=/path/to/consul-template npx tsx test/differential/template.ts`.
 *
 * With no arguments all recorded templates and a thousand generated ones are rendered by both, and what differs is told. `FILE` gives
 * templates instead, one a line; `--record FILE` prints what the program made of them as vectors.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toText } from '../../src/agent/template/index.js'
import { renderCase, type TemplateCase, type TemplateCases } from '../vectors/kinds/template.js'
import { generateTemplates } from './template-generator.js'

const PROGRAM = process.env.CONSUL_TEMPLATE
const RECORDED = new URL('../vectors/data/template/cases.json', import.meta.url)
const PARALLEL = 4

interface Outcome {
  readonly output?: string
  readonly error?: { readonly line: number | null; readonly column: number | null; readonly text: string }
}

type Input = Pick<TemplateCase, 'template' | 'left' | 'right'>

async function runProgram(program: string, input: Input, environment: Readonly<Record<string, string>>): Promise<Outcome | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-template-'))
  try {
    const [source, target] = [join(folder, 'in'), join(folder, 'out')]
    writeFileSync(source, input.template)
    const { code, stderr } = await finished(program, ['-once', '-template', `${source}:${target}`], environment)
    if (code === 0) return { output: existsSync(target) ? readFileSync(target, 'utf8') : '' }
    return code === null ? undefined : { error: placeOf(stderr) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** `code` is null when the program had to be ended. */
function finished(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, stderr })
    })
  })
}

function placeOf(stderr: string): NonNullable<Outcome['error']> {
  const line = stderr.split('\n').find((one) => one.includes('[ERR]')) ?? stderr
  const place = /template: :(\d+)(?::(\d+))?: (.*)$/.exec(line)
  return {
    line: place === null ? null : Number(place[1]),
    column: place?.[2] === undefined ? null : Number(place[2]),
    text: place?.[3] ?? line.slice(0, 200),
  }
}

async function inParallel<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const at = next++
      results[at] = await run(items[at]!)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return results
}

function ours(input: Input, environment: Readonly<Record<string, string>>): Outcome {
  const rendering = renderCase(input, environment)
  if (rendering.kind === 'text') return { output: toText(rendering.text) }
  if (rendering.kind === 'missing') return { error: { line: null, column: null, text: 'missing' } }
  return { error: { line: rendering.line, column: rendering.column ?? null, text: rendering.message } }
}

function isSame(theirs: Outcome, own: Outcome): boolean {
  if (theirs.error === undefined || own.error === undefined) return theirs.output === own.output
  return theirs.error.line === null || theirs.error.line === own.error.line
}

function readTemplates(path: string): readonly Input[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((template) => ({ template }))
}

async function main(args: readonly string[]): Promise<void> {
  if (PROGRAM === undefined) throw new Error('CONSUL_TEMPLATE names no program')
  const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as TemplateCases
  const path = args.find((arg) => !arg.startsWith('--'))
  const inputs: readonly Input[] =
    path === undefined
      ? [...recorded.cases.filter((one) => one.left === undefined), ...generateTemplates(1000, Date.now())]
      : readTemplates(path)
  const outcomes = await inParallel(inputs, (input) => runProgram(PROGRAM, input, recorded.environment))
  if (args.includes('--record')) return print(inputs, outcomes, recorded.environment)
  let different = 0
  for (const [at, theirs] of outcomes.entries()) {
    const input = inputs[at]!
    const own = ours(input, recorded.environment)
    if (theirs === undefined || isSame(theirs, own)) continue
    different++
    console.log(`${JSON.stringify(input.template)}\n  theirs ${JSON.stringify(theirs)}\n  ours   ${JSON.stringify(own)}`)
  }
  console.log(`${inputs.length} templates, ${different} differ`)
  process.exitCode = different > 0 ? 1 : 0
}

function print(inputs: readonly Input[], outcomes: readonly (Outcome | undefined)[], environment: Readonly<Record<string, string>>): void {
  const cases = inputs.map((input, at) => ({ name: input.template, template: input.template, ...outcomes[at] }))
  console.log(JSON.stringify({ program: 'consul-template 0.42.1', environment, cases }, null, 1))
}

await main(process.argv.slice(2))

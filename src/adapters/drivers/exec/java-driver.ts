/** `java`: a jar or a class in the root of its own that `exec` has. Configuration besides: `jar_path`, `class`, `class_path`, `jvm_options`. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { TaskStart } from '../../../agent/index.js'
import { findTool } from '../../supervisor/tools.js'
import { configOf } from '../driver-errors.js'
import { ExecDriver } from './exec-driver.js'

const run = promisify(execFile)
const VERSION_WITHIN_MS = 10_000

export class JavaDriver extends ExecDriver {
  override readonly name = 'java'

  protected override async describe(): Promise<Readonly<Record<string, string>>> {
    const common = await super.describe()
    const java = findTool('java')
    if (java === undefined) throw new Error('java is not installed; it is part of default-jre-headless')
    const { stdout, stderr } = await run(java, ['-version'], { timeout: VERSION_WITHIN_MS })
    return { ...common, ...javaAttributes(stdout + stderr) }
  }

  protected override runOf(request: TaskStart) {
    const config = configOf('java', request.config)
    const { jvm_options = [], class_path, jar_path, args = [] } = config
    const words = [
      ...jvm_options,
      ...(class_path ? ['-cp', class_path] : []),
      ...(jar_path ? ['-jar', jar_path] : [config.class ?? '']),
      ...args,
    ]
    return this.sandboxed(request, config, 'java', words)
  }
}

/** The three lines of `java -version`. */
export function javaAttributes(text: string): Readonly<Record<string, string>> {
  const [first = '', runtime = '', vm = ''] = text.split('\n').filter((line) => !line.startsWith('Picked up ') && line !== '')
  return {
    'driver.java.version': /version "([^"]+)"/.exec(first)?.[1] ?? '',
    'driver.java.runtime': runtime.trim(),
    'driver.java.vm': vm.trim(),
  }
}

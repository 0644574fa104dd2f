/**
 * What the name of a job's file means: `web.nomad.hcl` is one job, `web@.nomad.hcl` is one for each `web@<instance>.vars.hcl` beside it. An
 * overlay is a name that more files may carry (`web.prod.vars.hcl`); who reads with it reads these too.
 */

/** A job of a template: the file with its values, by which it is known. */
export interface JobInstance {
  readonly path: string
  readonly name: string
}

const JOB_ENDINGS = /\.nomad(?:\.(?:hcl|json|yaml|yml))?$/
const TEMPLATE = /@\.nomad(?:\.(?:hcl|json|yaml|yml))?$/
const INSTANCE = /(?:^|\/)[^/@]+@([A-Za-z0-9_-]{1,64})\.vars\.hcl$/
const VARIABLES = '.vars.hcl'
const COMPANION_SUFFIXES = [VARIABLES, '.patch.yaml', '.patch.yml']

export const OVERLAY_NAME = /^[A-Za-z0-9_-]{1,64}$/

/** Whether the file is a job, or makes jobs with others. */
export function isTemplatePath(path: string): boolean {
  return TEMPLATE.test(path)
}

/** Undefined: the path is no instance of a template. */
export function instanceAt(path: string): JobInstance | undefined {
  const name = INSTANCE.exec(path)?.[1]
  return name === undefined ? undefined : { path, name }
}

/** What the job of an instance is called. */
export function instanceId(templateId: string, { name }: JobInstance): string {
  return `${templateId}-${name}`
}

/** Where the template of an instance may be. */
export function templatePaths({ path, name }: JobInstance): readonly string[] {
  const stem = path.slice(0, -(name.length + VARIABLES.length))
  return ['.nomad.hcl', '.nomad', '.nomad.json', '.nomad.yaml', '.nomad.yml'].map((ending) => stem + ending)
}

/** Path without the endings that make it a job's file: `jobs/web.nomad.hcl` → `jobs/web`. */
export function stemOf(path: string): string {
  return path.replace(JOB_ENDINGS, '')
}

/** What files of a job may be called, without their endings, in the order in which later ones win. */
export function stemsOf(path: string, { overlay, instance }: JobVariant): readonly string[] {
  const own = instance === undefined ? [stemOf(path)] : [stemOf(path), instance.path.slice(0, -VARIABLES.length)]
  return own.flatMap((stem) => (overlay === undefined ? [stem] : [stem, `${stem}.${overlay}`]))
}

/** Which of the jobs that a file may be. */
export interface JobVariant {
  readonly overlay?: string | undefined
  readonly instance?: JobInstance | undefined
}

/** Files that belong to a job by their names alone. @param path of a job's file, or of an instance */
export function companionNames(path: string, overlay?: string): readonly string[] {
  const instance = instanceAt(path)
  if (instance === undefined) return stemsOf(path, { overlay }).flatMap(withSuffixes)
  const templates = templatePaths(instance)
  return [...templates, ...stemsOf(templates[0]!, { overlay, instance }).flatMap(withSuffixes)].filter((name) => name !== path)
}

function withSuffixes(stem: string): readonly string[] {
  return COMPANION_SUFFIXES.map((suffix) => stem + suffix)
}

/** Whether a file of this name may belong to a job's file beside it. */
export function isCompanion(path: string): boolean {
  return COMPANION_SUFFIXES.some((suffix) => path.endsWith(suffix)) || isTemplatePath(path)
}

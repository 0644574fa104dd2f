/** The jobspec engine: text's syntax to Job, and what jobs are compared and checked by. */
export { canonicalizeBeforeServer, canonicalizeJob } from './canonicalize.js'
export { canonicalizeAsClient } from './canonicalize-as-client.js'
export { checkJob, poolProblems, tooManyGroupsText } from './check-job.js'
export { readApiJob } from './decode/api-form.js'
export type { ApiJob, ApiObject, ApiValue } from './decode/api-job.js'
export { clientForm } from './decode/client-form.js'
export {
  annotateDiff,
  type DiffOptions,
  type DiffType,
  diffJobs,
  type FieldDiff,
  type JobDiff,
  type ObjectDiff,
  type TaskDiff,
  type TaskGroupDiff,
} from './diff.js'
export type { DockerConfig, DockerMount } from './drivers/docker.js'
export { type DriverConfigOf, type KnownDriver, readDriverConfig } from './drivers/table.js'
export { evaluateTemplate, type TemplateReading } from './evaluate-template.js'
export { evaluateText, type TextEvaluation } from './evaluate-text.js'
export { type FileTree, isStackOverflow, TOO_DEEP } from './hcl/evaluation.js'
export { readJson } from './hcl/json-reader.js'
export { readHcl } from './hcl/scan.js'
export { type JobName, nameOfJob } from './job-name.js'
export { HOOK_META, takeJobOrder } from './job-order.js'
export { companionNames, instanceAt, isCompanion, isTemplatePath, type JobInstance, OVERLAY_NAME, templatePaths } from './job-place.js'
export { LIMITS, type Limits } from './limits.js'
export { type Fault, fault, formatMistake, type Mistake, type SourceText, suggestName, toMistake, toMistakes } from './mistakes.js'
export { type NextLaunch, nextLaunch } from './next-launch.js'
export { type ApiParseOutcome, type Needs, type ParseOutcome, type ParseRequest, parseApiJob, parseJob } from './parse.js'
export { applyJobPatch, type PatchOutcome } from './patch.js'
export { isSpecChanged, specOf, specText } from './spec-change.js'
export { type SupportContext, supportTexts, taskRefusal } from './support/refusals.js'
export type {
  Expression,
  HclAttribute,
  HclBlock,
  HclBody,
  HclSyntax,
  JsonMember,
  JsonNode,
  JsonSyntax,
  Label,
  Span,
  Syntax,
  YamlSyntax,
} from './syntax.js'
export { type JobKind, transitionProblem, type Validation, validateJob, validationErrorText, warningsText } from './validate.js'

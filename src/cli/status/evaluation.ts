import type { Client } from '../client.js'
import type { Io } from '../command.js'
import { type OutputFormat, printData } from '../output.js'
import { describeFailures } from '../placement.js'
import { formatAge, formatFacts } from '../table.js'
import type { AllocationStub, EvaluationAnswer } from '../wire.js'
import { allocationTable } from './job.js'

/** One evaluation: why a job was looked at, what came of it, what could not be placed. */
export async function showEvaluation(id: string, client: Client, io: Io, format: OutputFormat): Promise<void> {
  const evaluation = await client.get<EvaluationAnswer>(`/v1/evaluation/${id}`)
  if (await printData(format, evaluation, [evaluation.ID], io)) return
  const nowMs = Date.now()
  const allocations = await client.get<readonly AllocationStub[]>(`/v1/evaluation/${id}/allocations`)
  const facts: (readonly [string, string])[] = [
    ['evaluation', evaluation.ID],
    ['job', evaluation.JobID],
    ['triggered by', evaluation.TriggeredBy],
    ['status', evaluation.StatusDescription ? `${evaluation.Status} (${evaluation.StatusDescription})` : evaluation.Status],
    ['created', `${formatAge(evaluation.CreateTime, nowMs)} ago`],
  ]
  if (evaluation.BlockedEval) facts.push(['waits as', evaluation.BlockedEval])
  io.out(formatFacts(facts))
  if (allocations.length > 0) io.out(`\n${allocationTable(allocations, nowMs, io.terminal)}`)
  if (evaluation.FailedTGAllocs) io.err(`\n${describeFailures(evaluation.FailedTGAllocs)}`)
}

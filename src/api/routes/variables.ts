/** Variables: `/v1/vars`, `/v1/var/:path`. What is in them is shown only where the configuration says so. */
import type { Variable } from '../../domain/index.js'
import { type StateView, variableKey } from '../../state/index.js'
import type { ReadDeps, Reading } from '../blocking.js'
import { FragmentCache } from '../encode.js'
import { badRequest, notFound, withheld } from '../errors.js'
import { byName, computePage } from '../pages.js'
import type { ApiSettings } from '../ports.js'
import type { Call, Route } from '../router.js'
import { atLeastOne, inNamespace, reading, tableReading } from './reading.js'

const BY_PATH = byName<Variable>((variable) => variable.Path, false)
const metadata = ({ Items: _, readers: __, ...rest }: Variable) => ({ ...rest, Lock: null })
const metadataJson = new FragmentCache<Variable>(metadata)
const variableJson = new FragmentCache<Variable>((variable) => ({ ...metadata(variable), Items: variable.Items }))
const WITHHELD =
  'values of variables are not shown: set api.show_variables in the configuration of the server, or read them in the repository'

export function variableRoutes(deps: ReadDeps & { readonly settings: ApiSettings }): readonly Route[] {
  return [
    { pattern: '/v1/vars', methods: { GET: reading(deps, listVariables) } },
    { pattern: '/v1/var/:id', methods: { GET: reading(deps, (view, call) => readVariable(view, call, deps.settings)) } },
  ]
}

function listVariables(view: StateView, call: Call): Reading {
  const prefix = call.parameters.text('prefix')
  const isHere = inNamespace(call)
  const rows = view.variables.all().filter((variable) => isHere(variable) && variable.Path.startsWith(prefix))
  const page = computePage(rows, call.parameters, { order: BY_PATH, filterable: 'VariableMetadata' })
  const fragments = page.rows.map((variable) => metadataJson.of(variable))
  return { ...tableReading(view.variables, fragments, [{ table: 'variables' }], page.nextToken), index: atLeastOne(view.variables.index) }
}

function readVariable(view: StateView, call: Call, { showVariables }: ApiSettings): Reading {
  if (call.id === '') throw badRequest('missing variable path')
  if (!showVariables) throw withheld(WITHHELD)
  const key = variableKey({ Namespace: call.parameters.namespace, Path: call.id })
  const variable = view.variables.get(key)
  return {
    index: atLeastOne(variable?.ModifyIndex ?? view.variables.index),
    watch: [{ table: 'variables', key }],
    body: variable === undefined ? notFound('variable not found') : variableJson.of(variable),
  }
}

/** Go's text/template with the functions of consul-template. */
export type { TemplateLimits } from './budget.js'
export { type Bytes, fromArray, fromText, toArray, toText } from './bytes.js'
export { FUNCTION_NAMES } from './functions/table.js'
export { describeQuery, type Found, type Query } from './queries.js'
export { type Rendering, renderTemplate, type TemplateSource, type TemplateWorld } from './render.js'
export { stringsValue, stringValue, type Value } from './values.js'

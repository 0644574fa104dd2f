/** Services and their checks. */
import type { SERVICE_STRUCTS } from '../decode/service-structs.js'
import { by, differs, otherThan, type Row, refused, type SupportOf, withoutEffect } from './support.js'

const CATALOGUE = by("the server's catalogue of services")
const CHECKS = by("the agent's checks")
const BLOCK = by('its parts')
const SERVER = by('the server, whatever a file says')

const CONSUL_SERVICES =
  'services of provider "consul", which is what no word means, are registered with this server\'s own catalogue, not with a Consul'
const CONSUL_ONLY = (member: string): Row => withoutEffect(`${member} is Consul's, and services are registered with this server`)

type ServiceStructs = 'CheckRestart' | 'Service' | 'ServiceCheck' | 'ServiceWeights'

export const SERVICE_SUPPORT: { readonly [Name in ServiceStructs & keyof typeof SERVICE_STRUCTS]: SupportOf<Name> } = {
  CheckRestart: { Limit: CHECKS, Grace: CHECKS, IgnoreWarnings: CHECKS },
  Service: {
    Name: CATALOGUE,
    Tags: CATALOGUE,
    CanaryTags: CATALOGUE,
    EnableTagOverride: CONSUL_ONLY('enable_tag_override'),
    PortLabel: CATALOGUE,
    AddressMode: CATALOGUE,
    Address: CATALOGUE,
    Checks: BLOCK,
    CheckRestart: BLOCK,
    Connect: [
      refused('there is no mesh here', 'Take the "connect" block out, and reach the service by its address.', {
        value: { words: 'is more than native = true', holds: (connect) => !isNative(connect) },
      }),
      by('nobody: a service that is native to a mesh speaks for itself, and is registered like any other'),
    ],
    Meta: CONSUL_ONLY('meta of a service'),
    CanaryMeta: CONSUL_ONLY('canary_meta'),
    TaggedAddresses: CONSUL_ONLY('tagged_addresses'),
    TaskName: by('the agent'),
    OnUpdate: CHECKS,
    Identity: withoutEffect('an identity of a service is for Consul, and services are registered with this server'),
    Weights: CONSUL_ONLY('weights'),
    Provider: [differs(CATALOGUE.by, CONSUL_SERVICES, { value: { words: 'is "consul"', holds: (name) => name === 'consul' } }), CATALOGUE],
    Cluster: withoutEffect('there is no Consul here', otherThan('default')),
    Kind: CONSUL_ONLY('kind'),
    Namespace: SERVER,
  },
  ServiceCheck: {
    Name: CHECKS,
    Type: CHECKS,
    Command: CHECKS,
    Args: CHECKS,
    Path: CHECKS,
    Protocol: CHECKS,
    PortLabel: CHECKS,
    Expose: CHECKS,
    AddressMode: CHECKS,
    Advertise: withoutEffect('nothing reads it, as in Nomad'),
    Interval: CHECKS,
    Timeout: CHECKS,
    InitialStatus: CHECKS,
    Notes: CHECKS,
    TLSServerName: CHECKS,
    TLSSkipVerify: CHECKS,
    Header: CHECKS,
    Method: CHECKS,
    CheckRestart: CHECKS,
    GRPCService: CHECKS,
    GRPCUseTLS: CHECKS,
    TaskName: CHECKS,
    SuccessBeforePassing: CHECKS,
    FailuresBeforeCritical: CHECKS,
    FailuresBeforeWarning: CHECKS,
    Body: CHECKS,
    OnUpdate: CHECKS,
  },
  ServiceWeights: { Passing: CONSUL_ONLY('passing'), Warning: CONSUL_ONLY('warning') },
}

function isNative(connect: unknown): boolean {
  const { Native, ...others } = connect as Readonly<Record<string, unknown>>
  return Native === true && Object.values(others).every((value) => value === null || value === undefined)
}

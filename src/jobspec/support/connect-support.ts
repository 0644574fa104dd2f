/** Consul's mesh: decoded and stored as Nomad does, and refused as a whole at the service's `connect`. */
import type { SERVICE_STRUCTS } from '../decode/service-structs.js'
import type { SERVICE_SUPPORT } from './service-support.js'
import { type Row, refused } from './support.js'
import type { SupportOf } from './support-table.js'

const MESH: Row = refused('there is no mesh here', 'Take the "connect" block out, and reach the service by its address.')

type ConnectStructs = Exclude<keyof typeof SERVICE_STRUCTS, keyof typeof SERVICE_SUPPORT>

export const CONNECT_SUPPORT: { readonly [Name in ConnectStructs]: SupportOf<Name> } = {
  ConsulConnect: { Native: MESH, Gateway: MESH, SidecarService: MESH, SidecarTask: MESH },
  ConsulExposeConfig: { Paths: MESH, Path: MESH },
  ConsulExposePath: { Path: MESH, Protocol: MESH, LocalPathPort: MESH, ListenerPort: MESH },
  ConsulGateway: { Proxy: MESH, Ingress: MESH, Terminating: MESH, Mesh: MESH },
  ConsulGatewayBindAddress: { Name: MESH, Address: MESH, Port: MESH },
  ConsulGatewayProxy: {
    ConnectTimeout: MESH,
    EnvoyGatewayBindTaggedAddresses: MESH,
    EnvoyGatewayBindAddresses: MESH,
    EnvoyGatewayNoDefaultBind: MESH,
    EnvoyDNSDiscoveryType: MESH,
    Config: MESH,
  },
  ConsulGatewayTLSConfig: { Enabled: MESH, TLSMinVersion: MESH, TLSMaxVersion: MESH, CipherSuites: MESH, SDS: MESH },
  ConsulGatewayTLSSDSConfig: { ClusterName: MESH, CertResource: MESH },
  ConsulHTTPHeaderModifiers: { Add: MESH, Set: MESH, Remove: MESH },
  ConsulIngressConfigEntry: { TLS: MESH, Listeners: MESH },
  ConsulIngressListener: { Port: MESH, Protocol: MESH, Services: MESH },
  ConsulIngressService: {
    Name: MESH,
    Hosts: MESH,
    TLS: MESH,
    RequestHeaders: MESH,
    ResponseHeaders: MESH,
    MaxConnections: MESH,
    MaxPendingRequests: MESH,
    MaxConcurrentRequests: MESH,
  },
  ConsulLinkedService: { Name: MESH, CAFile: MESH, CertFile: MESH, KeyFile: MESH, SNI: MESH },
  ConsulMeshConfigEntry: {},
  ConsulMeshGateway: { Mode: MESH },
  ConsulProxy: {
    LocalServiceAddress: MESH,
    LocalServicePort: MESH,
    Expose: MESH,
    ExposeConfig: MESH,
    Upstreams: MESH,
    TransparentProxy: MESH,
    Config: MESH,
  },
  ConsulSidecarService: { Tags: MESH, Port: MESH, Proxy: MESH, DisableDefaultTCPCheck: MESH, Meta: MESH },
  ConsulTerminatingConfigEntry: { Services: MESH },
  ConsulTransparentProxy: {
    UID: MESH,
    OutboundPort: MESH,
    ExcludeInboundPorts: MESH,
    ExcludeOutboundPorts: MESH,
    ExcludeOutboundCIDRs: MESH,
    ExcludeUIDs: MESH,
    NoDNS: MESH,
  },
  ConsulUpstream: {
    DestinationName: MESH,
    DestinationNamespace: MESH,
    DestinationPeer: MESH,
    DestinationPartition: MESH,
    DestinationType: MESH,
    LocalBindPort: MESH,
    Datacenter: MESH,
    LocalBindAddress: MESH,
    LocalBindSocketPath: MESH,
    LocalBindSocketMode: MESH,
    MeshGateway: MESH,
    Config: MESH,
  },
  SidecarTask: {
    Name: MESH,
    Driver: MESH,
    User: MESH,
    Config: MESH,
    Env: MESH,
    Resources: MESH,
    Meta: MESH,
    KillTimeout: MESH,
    LogConfig: MESH,
    ShutdownDelay: MESH,
    KillSignal: MESH,
    VolumeMounts: MESH,
    Identities: MESH,
  },
}

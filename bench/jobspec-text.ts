/** A jobspec of some sixty lines as people write them; each `at` is another job, each `generation` another version of it. */
export function jobspecText(at: number, generation = 0): string {
  return `variable "image" {
  type    = string
  default = "registry.example/shop/web-${at}:1.${generation}"
}

locals {
  name = "web-${at}"
  tags = ["team-${at % 40}", "v${generation}"]
}

job "web-${at}" {
  datacenters = ["dc1", "dc2"]
  type        = "service"
  priority    = ${30 + (at % 40)}

  constraint {
    attribute = "\${attr.kernel.name}"
    value     = "linux"
  }

  group "web" {
    count = ${1 + (at % 5)}

    network {
      mode = "bridge"
      port "http" { to = 8080 }
    }

    service {
      name     = local.name
      provider = "nomad"
      port     = "http"
      tags     = concat(local.tags, ["web"])

      check {
        type     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "2s"
      }
    }

    task "server" {
      driver         = "docker"
      shutdown_delay = "5s"

      config {
        image = var.image
        ports = ["http"]
        args  = ["--listen", ":8080", "--id", "\${NOMAD_ALLOC_ID}"]
      }

      env = {
        PORT  = "8080"
        SHARD = format("%04d", ${at % 16})
        NODE  = "\${node.unique.name}"
      }

      resources {
        cpu    = ${100 + (at % 9) * 50}
        memory = ${128 * (1 + (at % 8))}
      }
    }
  }
}
`
}

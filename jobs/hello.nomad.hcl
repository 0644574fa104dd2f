# The smallest service worth watching: commit a change to this file and look at `npx drover status hello`.
job "hello" {
  type = "service"

  group "greeter" {
    count = 1

    update {
      min_healthy_time = "0s"
    }

    task "greet" {
      driver = "raw_exec"

      # Ends at once when it is asked to, so that a new version takes over within the second.
      kill_signal = "SIGINT"

      config {
        command = "/bin/sh"
        args    = ["-c", "trap 'exit 0' INT; while true; do echo \"$GREETING\"; sleep 1 & wait $!; done"]
      }

      env {
        GREETING = "hello from drover"
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}

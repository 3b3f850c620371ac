source "null" "a" { x = 1 }
build {
  sources = ["null.a"]
  source "null.a" { 
    name = "b"
    x    = 2
  }
  provisioner "shell" {
    only         = "null.a"
    except       = ["null.a"]
    pause_before = "ten"
    timeout      = "-5s"
    max_retries  = -1
    override     = { a = 1 }
  }
  provisioner "shell" {
    only   = ["source.null.a"]
    except = ["null.b"]
  }
  post-processor "x" { keep_input_artifact = "perhaps" }
}

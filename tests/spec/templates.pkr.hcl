source "null" "a" {
  number   = "${1 + 1}"
  mixed    = "n=${1 + 1} b=${true}"
  escapes  = "tab\t quote\" back\\ u\u00e9 big\U0001F600 $${x} %%{y} $5 100%"
  nested   = "a${"b${"c"}"}d"
  heredoc  = <<EOT
  kept ${1 + 1}
	"quotes" \n stay
  EOT
  flushed  = <<-EOT
      four
        six
      ${"value"}

      last
    EOT
  choice   = "%{ if true }yes%{ else }no%{ endif }"
  loop     = "%{ for i, v in ["a", "b"] }${i}=${v};%{ endfor }"
  trimmed  = <<-EOT
    %{ for v in ["a", "b"] ~}
    item ${v}
    %{ endfor ~}
    end
  EOT
  tilde    = "a  ${~ "b" ~}  c"
  legacy   = "{{ .Vars }} {{ timestamp }} {{ `x` }}"
  lines    = [for v in ["x"] :
    v
  ]
  nfc      = "e\u0301" == "\u00e9"
}

build { sources = ["null.a"] }

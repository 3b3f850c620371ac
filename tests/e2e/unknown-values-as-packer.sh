#!/bin/bash
# What the tables of unknown values and of edge cases of functions (src/template/testdata/unknown.txt, edges.txt) say is
# what hashicorp's evaluator answers, with the go-cty that Packer uses. kiln is held to the same tables by its unit tests.
. "$(dirname "$0")/../support/go.sh"
here=$(cd "$(dirname "$0")/.." && pwd)
tables=$here/../src/template/testdata
judge=$here/differential/unknown_values.go
hcl=v2.23.0 # the newest that Go 1.19 can build
cty=v1.13.3 # the fork that Packer takes

evaluator() { # WORK
  cp "$judge" main.go && "$go" mod init judge &&
    "$go" mod edit -require "github.com/hashicorp/hcl/v2@$hcl" -require github.com/zclconf/go-cty@v1.13.0 \
      -replace "github.com/zclconf/go-cty=github.com/nywilken/go-cty@$cty" &&
    "$go" mod tidy && "$go" build -o "$1/bin/judge" .
}
built_with_go "unknown-values-$(cat "$judge" "$0" | sha256sum | head -c 16)" evaluator
"$built/judge" "$tables/unknown.txt" "$tables/edges.txt"

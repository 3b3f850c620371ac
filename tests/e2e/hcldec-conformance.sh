#!/bin/bash
# kiln hcldec answers as hashicorp's own hcldec does: the same values, types and places of errors, over generated
# specifications and inputs; and hcl's own suite passes. KILN_HCLDEC_CASES says how many (default 300),
# KILN_HCLDEC_SEED which.
. "$(dirname "$0")/../support/go.sh"
kiln=${KILN_BIN:-$(dirname "$0")/../../build/release/kiln}
here=$(cd "$(dirname "$0")/.." && pwd)
version=v2.23.0 # the newest that Go 1.19 can build
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }

hcldec_and_its_suite() { # WORK
  "$go" install "github.com/hashicorp/hcl/v2/cmd/hcldec@$version" "github.com/hashicorp/hcl/v2/cmd/hclspecsuite@$version" &&
    cp -r "$1/go/pkg/mod/github.com/hashicorp/hcl/v2@$version/specsuite/tests" "$1/bin/specsuite"
}
built_with_go "hcldec-$version" hcldec_and_its_suite

wrapper=$(mktemp) || exit 1
trap 'rm -f "$wrapper"' EXIT
printf '#!/bin/sh\nexec "%s" hcldec "$@"\n' "$(readlink -f "$kiln")" >"$wrapper"
chmod +x "$wrapper"
"$built/hclspecsuite" "$built/specsuite" "$wrapper" || { echo "FAIL: hcl's own suite"; exit 1; }

python3 "$here/differential/hcldec_cases.py" "$kiln" "$built/hcldec" \
  -n "${KILN_HCLDEC_CASES:-300}" -s "${KILN_HCLDEC_SEED:-1}"

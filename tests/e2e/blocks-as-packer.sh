#!/bin/bash
# Blocks and their options: kiln accepts and refuses the same HCL2 templates as the real Packer 1.6, but for what newer
# Packers do otherwise; and the engine of old templates does the same in HCL2 strings.
# shellcheck source=../support/packer.sh
. "$(dirname "$0")/../support/packer.sh"
python3 "$here/differential/block_cases.py" "$kiln" "$packer"

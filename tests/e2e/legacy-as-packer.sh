#!/bin/bash
# Packer's old JSON templates: what the real Packer 1.6 makes of engine strings kiln makes of them too, and both accept
# and refuse the same templates.
# shellcheck source=../support/packer.sh
. "$(dirname "$0")/../support/packer.sh"
python3 "$here/differential/legacy_cases.py" "$kiln" "$packer"

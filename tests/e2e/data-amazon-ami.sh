#!/bin/bash
# data "amazon-ami" finds the image that Amazon's own client library finds, in moto's imitation of EC2, which checks the
# signatures; credentials come from the template, the environment or the shared file.
# moto is installed once by pip and kept in the user's cache.
set -u
kiln=${KILN_BIN:-$(dirname "$0")/../../build/release/kiln}
kiln=$(readlink -f "$kiln")
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
cache=${KILN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln-tests}/moto
if [ ! -e "$cache/ready" ]; then
  { python3 -m venv "$cache" && timeout 600 "$cache/bin/pip" install -q 'moto[ec2,iam,server]' && touch "$cache/ready"; } \
    >/dev/null 2>&1 || { echo "skipped: moto could not be installed (no network?)"; exit 77; }
fi
work=$(mktemp -d) || exit 1
cd "$work" || exit 1
fail() { echo "FAIL: $*"; exit 1; }

# What is newest by Amazon's library, and keys of a user who may look.
cat >judge.py <<'PY'
import json
import sys

import boto3

at = dict(endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
iam = boto3.client("iam", **at)
iam.create_user(UserName="u")
key = iam.create_access_key(UserName="u")["AccessKey"]
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}
iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(policy))
at.update(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
ec2 = boto3.client("ec2", **at)
images = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"]
newest = max(images, key=lambda i: i["CreationDate"])
same = [i for i in images if i["OwnerId"] == newest["OwnerId"]]
newest = sorted(same, key=lambda i: i["CreationDate"], reverse=True)[0]
ec2.create_tags(Resources=[newest["ImageId"]], Tags=[{"Key": "Team", "Value": "a<b & c"}])
with open("keys", "w") as f:
    f.write("%s\n%s\n" % (key["AccessKeyId"], key["SecretAccessKey"]))
with open("owner", "w") as f:
    f.write(newest["OwnerId"])
with open("want", "w") as f:
    f.write("%s|%s|%s|%s|a<b & c\n" % (newest["ImageId"], newest["Name"], newest["CreationDate"], newest["OwnerId"]))
PY
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export INITIAL_NO_AUTH_ACTION_COUNT=3 # what is asked after the user's three steps is checked
timeout 300 "$cache/bin/moto_server" -H 127.0.0.1 -p "$port" >server 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 300); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
url=http://127.0.0.1:$port
timeout 120 "$cache/bin/python" judge.py "$url" >said 2>&1 || fail "the judge: $(tail -3 said) $(tail -3 server)"
{ read -r access; read -r secret; } <keys

cat >t.pkr.hcl <<HCL
variable "keys" {
  default = { access_key = "", secret_key = "" }
}
variable "only" {
  default = "x86_64"
}
data "amazon-ami" "newest" {
  filters             = { architecture = var.only }
  owners              = ["$(cat owner)"]
  most_recent         = true
  region              = "us-east-1"
  custom_endpoint_ec2 = "$url"
  access_key          = var.keys.access_key
  secret_key          = var.keys.secret_key
}
source "null" "n" {
  communicator = "none"
}
build {
  sources = ["source.null.n"]
  provisioner "shell-local" {
    environment_vars = ["A=\${join("|", [for k in ["id", "name", "creation_date", "owner"] : data.amazon-ami.newest[k]])}|\${data.amazon-ami.newest.tags["Team"]}"]
    inline           = ["printf '%s\\\\n' \"\$A\" > out"]
  }
}
HCL
export KILN_STORE="$work/store" HOME="$work"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_SHARED_CREDENTIALS_FILE
"$kiln" validate t.pkr.hcl >said || fail "validate asks: $(cat said)"
"$kiln" build t.pkr.hcl >said && fail "a build without credentials works"
grep -q 'No credentials' said || fail "no word of credentials: $(cat said)"

found() {
  rm -f out
  "$@" >said || fail "$*: $(cat said)"
  cmp want out || fail "$*: $(cat out)"
}
found "$kiln" build -var "keys={access_key = \"$access\", secret_key = \"$secret\"}" t.pkr.hcl
found env AWS_ACCESS_KEY_ID="$access" AWS_SECRET_ACCESS_KEY="$secret" "$kiln" build t.pkr.hcl
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$access" "$secret" >shared
found env AWS_SHARED_CREDENTIALS_FILE="$work/shared" "$kiln" build t.pkr.hcl

export AWS_ACCESS_KEY_ID=$access AWS_SECRET_ACCESS_KEY=wrong-$secret
"$kiln" validate -evaluate-datasources t.pkr.hcl >said && fail "a wrong signature is taken"
grep -q "$secret" said && fail "a secret is told: $(cat said)"
export AWS_SECRET_ACCESS_KEY=$secret
"$kiln" validate -evaluate-datasources -var only=none-such t.pkr.hcl >said && fail "an image that is not there is found"
grep -qi 'no image' said || fail "no word of what is missing: $(cat said)"
exit 0

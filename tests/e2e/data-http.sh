#!/bin/bash
# data "http": its answer is read while planning and building, unknown to validate unless -evaluate-datasources is given;
# what goes wrong is an error that names the URL and no secret.
set -u
kiln=${KILN_BIN:-$(dirname "$0")/../../build/release/kiln}
kiln=$(readlink -f "$kiln")
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
work=$(mktemp -d) || exit 1
cd "$work" || exit 1
export KILN_STORE="$work/store"
fail() { echo "FAIL: $*"; exit 1; }

cat >server.py <<'PY'
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode()
        text = "%s %s %s %s" % (self.command, self.path, self.headers.get("X-Ask", "-"), body or "-")
        print(text, flush=True)
        self.send_response(404 if self.path == "/none" else 200)
        data = b"version 7\n" if self.path == "/version" else text.encode()
        self.send_header("Content-Type", "text/plain")
        self.send_header("X-Two", "a")
        self.send_header("X-Two", "b")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else data)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = answer

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("port", "w") as f:
    f.write("%d\n" % server.server_port)
server.handle_request() if len(sys.argv) > 1 else server.serve_forever()
PY
timeout 120 python3 server.py >asked 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
url=http://127.0.0.1:$(cat port)

cat >t.pkr.hcl <<HCL
variable "path" {
  default = "/version"
}
variable "key" {
  default   = "k3y-of-mine"
  sensitive = true
}
data "http" "version" {
  url = "$url\${var.path}"
}
data "http" "posted" {
  url             = data.http.version.url
  method          = "post"
  request_headers = { X-Ask = var.key }
  request_body    = "b=\${trimspace(data.http.version.body)}"
}
locals {
  number = regex("[0-9]+", data.http.version.body)
}
source "null" "n" {
  communicator = "none"
}
build {
  sources = ["source.null.n"]
  provisioner "shell-local" {
    inline = ["echo number=\${local.number} two='\${data.http.version.response_headers["X-Two"]}' > out"]
  }
}
HCL
"$kiln" validate t.pkr.hcl >said || fail "validate: $(cat said)"
[ ! -s asked ] || fail "validate asked the server: $(cat asked)"
"$kiln" validate -evaluate-datasources t.pkr.hcl >said || fail "validate -evaluate-datasources: $(cat said)"
printf 'GET /version - -\nPOST /version k3y-of-mine b=version 7\n' | cmp - asked || fail "asked: $(cat asked)"
"$kiln" build t.pkr.hcl >said || fail "build: $(cat said)"
[ "$(cat out)" = "number=7 two=a, b" ] || fail "the build had: $(cat out)"

"$kiln" build -var path=/none t.pkr.hcl >said && fail "a missing page is taken"
grep -q '404' said || fail "no status in: $(cat said)"
grep -q 'k3y' said && fail "a secret in: $(cat said)"
kill $server
"$kiln" validate -evaluate-datasources t.pkr.hcl >said && fail "a server that is gone answers"
grep -q '127.0.0.1' said || fail "no address in: $(cat said)"

cat >bad.pkr.hcl <<'HCL'
data "http" "a" {
  method = "BREW"
}
data "http" "b" {
  url  = "ftp://127.0.0.1/x"
  nope = 1
}
HCL
"$kiln" validate -evaluate-datasources bad.pkr.hcl >said && fail "wrong options are taken"
for word in '"url" of data source' 'Invalid method' '"nope"'; do
  grep -q "$word" said || fail "no word of $word in: $(cat said)"
done
exit 0

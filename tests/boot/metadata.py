#!/usr/bin/python3
"""A metadata service for one guest under QEMU, on loopback: as EC2's or as Compute Engine's, as far as cloud-init, Google's
guest agent and this project's tests look. It is a stand-in and stricter than needed: what the real one would refuse is
refused, and counted.

    metadata.py ec2|gce SETTINGS LOG     prints its port, serves until its input ends

SETTINGS is JSON: id, hostname, user (the login), key (a line of authorized_keys), user_data, attributes (an object: tags on
EC2, attributes on Compute Engine). LOG gets a line a request: status, method, path.

EC2: version 2 of the service only. A token comes by PUT with a lifetime in seconds; a GET without a living one is 401.
Compute Engine: a request without "Metadata-Flavor: Google" is 403. A request that waits for a change waits.
"""

import http.server
import json
import secrets
import sys
import threading
import time
import urllib.parse


class Answer(Exception):
    """A status and a body to send."""

    def __init__(self, status, body="", kind="text/plain"):
        super().__init__(status)
        self.status, self.body, self.kind = status, body, kind


def child(tree, path):
    """The entry of nested dictionaries that a path leads to, else 404."""
    for name in [name for name in path.split("/") if name]:
        if not isinstance(tree, dict) or name not in tree:
            raise Answer(404)
        tree = tree[name]
    return tree


def listing(tree):
    return "\n".join(name + "/" * isinstance(value, dict) for name, value in tree.items())


class Ec2:
    """Instance Metadata Service, version 2."""

    MAC = "52:54:00:12:34:56"
    VERSIONS = ("latest", "2021-03-23", "2018-09-24", "2016-09-02", "2009-04-04")

    def __init__(self, settings):
        self.tokens = {}
        self.user_data = settings["user_data"]
        self.tree = {
            "ami-id": "ami-0123456789abcdef0",
            "hostname": settings["hostname"],
            "instance-id": settings["id"],
            "instance-type": "m6i.large",
            "local-hostname": settings["hostname"],
            "local-ipv4": "169.254.169.15",
            "mac": self.MAC,
            "network": {"interfaces": {"macs": {self.MAC: {
                "device-number": "0", "interface-id": "eni-0123456789abcdef0", "local-ipv4s": "169.254.169.15",
                "mac": self.MAC, "subnet-ipv4-cidr-block": "169.254.169.0/24"}}}},
            "placement": {"availability-zone": "us-east-1a", "region": "us-east-1"},
            "public-keys": {"0": {"openssh-key": settings["key"]}},
        }
        if settings["attributes"]:
            self.tree["tags"] = {"instance": settings["attributes"]}

    def put(self, path, headers):
        if path != "/latest/api/token":
            raise Answer(405)
        lifetime = headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if not lifetime.isdigit() or not 1 <= int(lifetime) <= 21600:
            raise Answer(400)
        token = secrets.token_urlsafe(32)
        self.tokens[token] = time.monotonic() + int(lifetime)
        raise Answer(200, token)

    def get(self, path, headers):
        if self.tokens.get(headers.get("X-aws-ec2-metadata-token"), 0) < time.monotonic():
            raise Answer(401)
        version, _, rest = path.strip("/").partition("/")
        if version not in self.VERSIONS:
            raise Answer(404)
        if rest == "user-data":
            raise Answer(200, self.user_data) if self.user_data else Answer(404)
        if rest.startswith("dynamic"):
            document = {"instanceId": self.tree["instance-id"], "region": "us-east-1", "architecture": "x86_64"}
            tree = {"dynamic": {"instance-identity": {"document": json.dumps(document)}}}
        elif rest == "meta-data/public-keys":
            raise Answer(200, "0=key")
        else:
            tree = {"meta-data": self.tree}
        found = child(tree, rest)
        raise Answer(200, listing(found) if isinstance(found, dict) else found)


class Gce:
    """Compute Engine's metadata server."""

    def __init__(self, settings):
        attributes = {"ssh-keys": f"{settings['user']}:{settings['key']}", **settings["attributes"]}
        if settings["user_data"]:
            attributes["user-data"] = settings["user_data"]
        self.tree = {"computeMetadata": {"v1": {
            "instance": {
                "attributes": attributes,
                "disks": [{"deviceName": "persistent-disk-0", "index": 0, "mode": "READ_WRITE", "type": "PERSISTENT"}],
                "hostname": settings["hostname"],
                "id": int(settings["id"]),
                "machineType": "projects/1/machineTypes/n2-standard-2",
                "name": settings["hostname"].split(".")[0],
                "networkInterfaces": [{"forwardedIps": [], "ip": "169.254.169.15", "ipAliases": [],
                                       "mac": "52:54:00:12:34:56", "mtu": 1460, "targetInstanceIps": []}],
                "zone": "projects/1/zones/us-central1-a",
            },
            "oslogin": {"authenticate": {"sessions": {}}},
            "project": {"attributes": {}, "numericProjectId": 1, "projectId": "my-project"},
        }}}

    def put(self, path, headers):
        """Google's agent writes guest attributes: host keys."""
        if headers.get("Metadata-Flavor") != "Google":
            raise Answer(403)
        raise Answer(204) if "/guest-attributes/" in path else Answer(405)

    def get(self, path, headers):
        path, _, query = path.partition("?")
        query = urllib.parse.parse_qs(query)
        if path == "/":
            raise Answer(200, "computeMetadata/")
        if headers.get("Metadata-Flavor") != "Google":
            raise Answer(403)
        found = child(self.tree, path)
        if query.get("wait_for_change") == ["true"] and query.get("last_etag", ["0"]) != ["0"]:
            time.sleep(min(60, int(query.get("timeout_sec", ["60"])[0])))
        if query.get("recursive", [""])[0].lower() == "true":
            raise Answer(200, json.dumps(found), "application/json")
        raise Answer(200, listing(found) + "\n" if isinstance(found, dict) else str(found))


class Handler(http.server.BaseHTTPRequestHandler):
    service = log = None

    def answer(self, act):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        try:
            act(self.path, self.headers)
        except Answer as answer:
            body = answer.body.encode()
            self.log.write(f"{answer.status} {self.command} {self.path}\n")
            self.log.flush()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(body)))
            if isinstance(self.service, Gce):
                self.send_header("Metadata-Flavor", "Google")
                self.send_header("ETag", "1")
            self.end_headers()
            self.wfile.write(body)

    def do_GET(self):
        self.answer(self.service.get)

    def do_PUT(self):
        self.answer(self.service.put)

    def log_message(self, *_):
        pass


def main(arguments):
    if len(arguments) != 3 or arguments[0] not in ("ec2", "gce"):
        sys.exit(__doc__)
    with open(arguments[1], encoding="utf-8") as file:
        settings = json.load(file)
    Handler.service = (Ec2 if arguments[0] == "ec2" else Gce)(settings)
    with open(arguments[2], "a", encoding="utf-8") as Handler.log:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])

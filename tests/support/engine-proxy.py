#!/usr/bin/env python3
"""Stands between a client and a Docker Engine on Unix sockets, and counts or spoils what goes through.

  engine-proxy.py LISTEN ENGINE COUNTS MODE

COUNTS is written when the proxy gets SIGTERM: a line a request, its first line and the bytes that the client sent of it.
MODE: pass; refuse-first-load (the first /images/load is answered 500 once it has been read); cut (the connection of a
load ends after 10 kB); nonsense (every answer is no HTTP); swallow (a load is answered 200 and not passed on).
"""
import os
import re
import signal
import socket
import sys
import threading

listen, engine, counts, mode = sys.argv[1:]
lock = threading.Lock()
requests = []  # [first line, bytes]


def copy(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def answer(client, status, text):
    body = text.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    client.sendall(head.encode() + body)


def note(data, entry):
    """A client waits for an answer before it asks again: what starts like a request is one."""
    if re.match(rb"[A-Z]+ /\S* HTTP/1.1\r\n", data):
        entry = [data.split(b"\r\n")[0].decode("ascii", "replace"), 0]
        with lock:
            requests.append(entry)
    entry[1] += len(data)
    return entry


def is_spoiled(data):
    if not data.startswith(b"POST /images/load"):
        return False
    first = sum(line.startswith("POST /images/load") for line, _ in requests) == 1
    return mode in ("cut", "swallow") or (mode == "refuse-first-load" and first)


def spoil(client, data, entry):
    while not data.endswith(b"0\r\n\r\n"):
        if mode == "cut" and entry[1] > 10000:
            return
        more = client.recv(1 << 16)
        if not more:
            return
        note(more, entry)
        data = data[-8:] + more
    if mode == "swallow":
        answer(client, "200 OK", '{"stream":"Loaded image: nothing:1\\n"}\n')
    elif mode == "refuse-first-load":
        answer(client, "500 Internal Server Error", '{"message":"layer does not exist"}')


def serve(client):
    up, back, entry = socket.socket(socket.AF_UNIX), None, ["", 0]
    try:
        while data := client.recv(1 << 16):
            entry = note(data, entry)
            if mode == "nonsense":
                client.sendall(b"what do you mean?\n")
                break
            if is_spoiled(data):
                spoil(client, data, entry)
                break
            if back is None:
                up.connect(engine)
                back = threading.Thread(target=copy, args=(up, client), daemon=True)
                back.start()
            up.sendall(data)
    except OSError:
        pass
    up.close()
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    client.close()


def finish(*_):
    with open(counts, "w", encoding="ascii") as out:
        out.writelines(f"{line} {sent}\n" for line, sent in requests)
    os._exit(0)


signal.signal(signal.SIGTERM, finish)
server = socket.socket(socket.AF_UNIX)
server.bind(listen + ".new")
server.listen(64)
os.rename(listen + ".new", listen)  # there when it listens
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

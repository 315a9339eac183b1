"""Submits a minidump with nothing but Python's own http.client, and with requests where that is installed.

    python3 python-urllib.py <submission url> <dump>

Prints the reply of each client on a line of its own.
"""
import sys
import urllib.request


def main(url, dump_path):
    with open(dump_path, "rb") as dump:
        body = dump.read()
    with urllib.request.urlopen(urllib.request.Request(url, data=body, method="POST"), timeout=30) as reply:
        print(reply.read().decode("utf-8"))
    try:
        import requests
    except ImportError:
        return
    with open(dump_path, "rb") as dump:
        reply = requests.post(
            url,
            data={"client": "requests"},
            files={"upload_file": ("upload_file", dump), "attachment_größe.log": ("größe.log", b"log\n")},
            timeout=4,
        )
    reply.raise_for_status()
    print(reply.text)


main(*sys.argv[1:3])

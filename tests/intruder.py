"""Tries to run a function behind each port, as a stranger without the key.
Prints {port: the uid it ran under, or null} as JSON.

    python tests/intruder.py 65534 34567 34568     # as which user, given by number; at which ports
"""

import asyncio
import encodings.idna  # noqa: F401  before: another user may not read this Python's folder
import json
import os
import ssl
import sys

from distributed.core import rpc
from distributed.protocol.pickle import dumps


async def attempt(port, protocol, operation):
    """The uid under which the function ran there, or None."""
    secured = {"ssl_context": ssl._create_unverified_context()}
    try:
        address = f"{protocol}://127.0.0.1:{port}"
        async with asyncio.timeout(3), rpc(address, connection_args=secured, timeout=2) as there:
            said = await getattr(there, operation)(function=dumps(os.getuid))
            return said["result"] if said["status"] == "OK" else None
    except Exception as error:  # noqa: BLE001  refused, whatever the words
        print(port, protocol, operation, repr(error), file=sys.stderr)


async def main(ports):
    tried = [
        (port, protocol, operation)
        for port in ports
        for protocol in ("tcp", "tls")
        for operation in ("run", "run_function")
    ]  # a worker's, a scheduler's
    got = await asyncio.gather(*(attempt(*one) for one in tried))
    ran = {port: uid for (port, *_), uid in zip(tried, got, strict=True) if uid is not None}
    print(json.dumps({port: ran.get(port) for port in ports}))


if int(sys.argv[1]) != os.getuid():
    os.setgroups([])
    os.setgid(int(sys.argv[1]))
    os.setuid(int(sys.argv[1]))
asyncio.run(main(sys.argv[2:]))

#!/usr/bin/env python3
"""Recomputes the root of an Affidavit log from its entries, with Python's standard library alone.

    python3 recompute-root.py LOG_DIRECTORY [EXPECTED_ORIGIN]

Reads LOG_DIRECTORY/checkpoint and the entry bundles below tile/entries (C2SP tlog-tiles), hashes every entry and joins
the hashes as RFC 6962 says. Prints OK and exits 0 where the result is the checkpoint's root, prints MISMATCH and exits 1
where it is not or entries are missing, exits 2 where there is no log to check. It does not check the checkpoint's signature: that needs
Ed25519, which the standard library lacks, and the log's public key, which must come from somewhere else than the log.
"""
import base64
import hashlib
import pathlib
import sys


def tile_index(n):
    """Index 1234067 is the path x001/x234/067."""
    path = "%03d" % (n % 1000)
    while n >= 1000:
        n //= 1000
        path = "x%03d/%s" % (n % 1000, path)
    return path


def read_bundle(log, index, width):
    """Entries of one bundle; the full one serves where the partial one is gone."""
    full = log / "tile" / "entries" / tile_index(index)
    partial = full.with_name(full.name + ".p") / str(width)
    exact = width == 256 or partial.exists()
    data = (partial if exact and width < 256 else full).read_bytes()
    at = 0
    for _ in range(width):
        length = int.from_bytes(data[at:at + 2], "big")
        entry = data[at + 2:at + 2 + length]
        if at + 2 > len(data) or len(entry) != length:
            raise ValueError("bundle %d is cut at byte %d" % (index, at))
        yield entry
        at += 2 + length
    if exact and at != len(data):
        raise ValueError("bundle %d has bytes after its last entry" % index)


def root_of(log, size):
    """RFC 6962 section 2.1, as a stack of the roots of perfect subtrees: (height, hash)."""
    stack = []
    for index in range((size + 255) // 256):
        for entry in read_bundle(log, index, min(256, size - index * 256)):
            height, node = 0, hashlib.sha256(b"\x00" + entry).digest()
            while stack and stack[-1][0] == height:
                node = hashlib.sha256(b"\x01" + stack.pop()[1] + node).digest()
                height += 1
            stack.append((height, node))
    node = stack.pop()[1] if stack else hashlib.sha256(b"").digest()
    while stack:
        node = hashlib.sha256(b"\x01" + stack.pop()[1] + node).digest()
    return node


def main(directory, expected_origin=None):
    log = pathlib.Path(directory)
    origin, size, root = (log / "checkpoint").read_text("utf-8").split("\n")[:3]
    size = int(size)
    try:
        computed = base64.b64encode(root_of(log, size)).decode()
    except (OSError, ValueError) as error:
        computed = "nothing (%s)" % error
    if computed != root or expected_origin not in (None, origin):
        print("MISMATCH: %s, %d entries lead to %s, the checkpoint says %s" % (origin, size, computed, root))
        return 1
    print("OK: %s, %d entries, root %s" % (origin, size, root))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:3]))
    except (OSError, ValueError, TypeError) as error:
        print("cannot check: %s" % error, file=sys.stderr)
        sys.exit(2)

"""Asks pip which files of a package index are needed on another machine with another Python.

Reads a job as JSON from standard input, writes the answer as JSON to standard output; both are described in
ResolverMessages.swift. Nothing is installed or built.

pip's command line alone cannot do it: it chooses wheels for another Python, but evaluates environment markers for the
Python that runs it (pip issue 11010), drops sizes, and lists source distributions only by building them. Of pip's inner
names this uses few; PrivatePip.swift says with which versions of pip it was seen working.
"""

import gc
import json
import os
import sys


def main():
    # A short life, and pages of thousands of links that all stay: collecting would take a tenth of the time.
    gc.disable()
    job = json.load(sys.stdin)
    answers = sys.stdout
    sys.path[:0] = [job["pip"], os.path.dirname(os.path.abspath(__file__))]

    from resolver import Resolver

    resolver = Resolver(job)
    if job["pythons"]:
        json.dump({"answers": {python: resolver.answer(python) for python in job["pythons"]}}, answers)
    else:
        json.dump(resolver.settings(), answers)


if __name__ == "__main__":
    main()

"""Prints the version of this Python, whether it can make environments with pip, and the version of its pip.

Then one a line what this depends on: the program, and the folders in which it looks for modules.
"""

import importlib.metadata
import importlib.util
import sys
import venv  # noqa: F401  an interpreter without it is of no use

try:
    pip = importlib.metadata.version("pip")
except importlib.metadata.PackageNotFoundError:
    pip = ""
print(".".join(map(str, sys.version_info[:3])), importlib.util.find_spec("ensurepip") is not None, pip)
print(sys.executable, *filter(None, sys.path), sep="\n")

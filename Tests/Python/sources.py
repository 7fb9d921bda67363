"""Makes the Python of Sources importable: import this first."""

import pathlib
import sys

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "Sources"
sys.path[:0] = [
    str(SOURCES / folder) for folder in ("Kubespray/Evaluation/Python", "Mirrors/Python/Resolver", "Mirrors/RPM/Python")
]

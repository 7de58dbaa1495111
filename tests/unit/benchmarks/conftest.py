import sys
from pathlib import Path

# The benchmarks are scripts, started with their folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

#!/usr/bin/env bash
# Pin the three sets of dependencies from pyproject.toml, with hashes and without addresses.
#   constraints.txt      runtime
#   constraints-gpu.txt  torch and torchvision with what their build brings
#   constraints-dev.txt  tests, checks and evaluation
# Needs uv (pip install uv). Run after changing a dependency; commit the result.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" <<'PY'
import pathlib, sys, tomllib
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
work = pathlib.Path(sys.argv[1])
runtime = [line for line in project["dependencies"] if not line.startswith("torch")]
gpu = [line for line in project["dependencies"] if line.startswith("torch")]
(work / "runtime.in").write_text("\n".join(runtime))
(work / "gpu.in").write_text("\n".join(gpu))
(work / "dev.in").write_text("\n".join(project["optional-dependencies"]["dev"]))
PY
pin() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-annotate --no-header "$@"
}
pin "$work/runtime.in" -o constraints.txt
pin "$work/gpu.in" -c constraints.txt -o constraints-gpu.txt
pin "$work/dev.in" -c constraints.txt -o constraints-dev.txt
if grep -nE 'https?://' constraints*.txt; then
  echo "constraints must not carry download addresses" >&2
  exit 1
fi

"""Generate ``daos_control.wire.pb`` from ``proto/``: messages, and their type stubs.

The proto files live under the path of the package they become, so protoc's imports come out right by
themselves. Services are read from the descriptors at run time; no gRPC code is generated.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
OUT = ROOT / "src"
PACKAGE = OUT / "daos_control" / "wire" / "pb"


def main() -> int:
    """Replace the generated package by one made from today's proto files."""
    shutil.rmtree(PACKAGE, ignore_errors=True)
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    plugin = Path(sys.executable).parent / "protoc-gen-mypy"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={PROTO}",
            f"--plugin=protoc-gen-mypy={plugin}",
            f"--python_out={OUT}",
            f"--mypy_out=quiet,readable_stubs:{OUT}",
            *files,
        ],
        check=True,
    )
    for folder in [PACKAGE, *(path for path in PACKAGE.iterdir() if path.is_dir())]:
        (folder / "__init__.py").write_text('"""Generated from proto/; change it there."""\n')
    print(f"{len(files)} proto files -> {PACKAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

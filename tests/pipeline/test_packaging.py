"""The wheel: small enough, complete, and working from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "-w", str(target), str(ROOT)],
        check=True,
    )  # fmt: skip
    [path] = target.glob("intentd-*.whl")
    return path


def test_it_is_below_45_megabytes_and_holds_models_and_configurations(wheel: Path) -> None:
    assert wheel.stat().st_size < 45 * MEGABYTE
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "intentd.py",
        "configs/coffee.yaml",
        "configs/domains/home.yaml",
        "models/weights/vosk-en/am/final.mdl",
        "models/weights/vosk-coffee/HCLG.fst",
        "models/weights/pronunciation-en/joint_ngram.xz",
        "models/weights/mobilebert-home/model.onnx",
        "models/weights/silero-vad/silero.npz",
        "pipeline/schemas/domain.schema.json",
        "pipeline/schemas/event.schema.json",
    ):
        assert needed in names
    strangers = {name.split("/")[0] for name in names if "dist-info" not in name}
    assert strangers == {"intentd.py", "pipeline", "stages", "models", "configs"}


@pytest.mark.usefixtures("runtime_dir")
def test_it_works_from_a_folder_that_has_a_models_folder_of_its_own(
    wheel: Path, tmp_path: Path
) -> None:
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "models").mkdir(parents=True)
    (elsewhere / "models" / "__init__.py").write_text("raise ImportError('the wrong models')")
    recording = ROOT / "tests/replays/coffee/get-me-a-small-dark-roast-espresso.flac"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pipeline.cli", "replay", str(recording), "-c", "coffee"],
        cwd=elsewhere,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "orderDrink(size=small" in done.stdout


def test_all_weights_in_the_project_are_below_75_megabytes() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not in a git checkout")
    suffixes = {".onnx", ".mdl", ".fst", ".npz", ".pt", ".safetensors"}
    files = [ROOT / name for name in listed.stdout.split("\0") if Path(name).suffix in suffixes]
    assert files
    assert sum(path.stat().st_size for path in files if path.exists()) < 75 * MEGABYTE


def test_the_only_direction_of_imports_is_pipeline_stages_models() -> None:
    import ast

    may_import = {"models": set(), "stages": {"models"}, "pipeline": {"models", "stages"}}
    for package, others in may_import.items():
        forbidden = set(may_import) - others - {package}
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
                for name in names:
                    assert name.split(".")[0] not in forbidden, f"{path} imports {name}"

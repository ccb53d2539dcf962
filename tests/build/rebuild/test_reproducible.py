# SPDX-License-Identifier: Apache-2.0
"""The same bytes for another user, elsewhere, in another locale and time zone, in parallel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ethosmith.obtain.cache import Cache
from tests.build.rebuild.test_interrupted import differing
from tests.conftest import NewCopy
from tests.fuzz.firmware import find_clang
from tests.support.project_copy import ProjectCopy

_KWS = "usecase=kws"
_BY_CLANG = (_KWS, "toolchain=clang", "report")
_IMAGE = "build/fvp/ethos-u55-128-shared_sram/kws"
_USER = 4001
_TIME_LIMIT_S = 900
# What says the versions of Python and its packages, or has the form of their archives.
_OF_PYTHON = ("_manifest.json", "_vela.npz", ".cdx.json", "_report.htm", "report.htm")


@pytest.fixture
def place_of_another_user() -> Iterator[Path]:
    """A folder that another user can reach; pytest's are closed again by each other pytest."""
    with tempfile.TemporaryDirectory(prefix="ethosmith-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def interpreter(folder: Path) -> str | None:
    """Return a Python with our packages that another user can run, if there is one."""
    if runs(sys.executable):
        return sys.executable
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    base = shutil.which(version, path="/usr/bin:/usr/local/bin")
    if base is None:
        return None
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    place = folder / "lib" / version / "site-packages" / "borrowed.pth"
    place.write_text("".join(f"{path}\n" for path in packages))
    return str(folder / "bin" / "python") if runs(str(folder / "bin" / "python")) else None


def runs(python: str) -> bool:
    command = [python, "-c", "import SCons, tensorflow.lite.python.schema_py_generated"]
    try:
        subprocess.run(command, user=_USER, group=_USER, extra_groups=[], check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def downloads_for(folder: Path) -> Path:
    """Give what was downloaded to a user who cannot look into our own folders."""

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)

    kept = Cache.for_user().root / "sha256"
    shutil.copytree(kept, folder / "sha256", copy_function=link)
    return folder


@pytest.mark.long
def test_another_user_elsewhere_makes_the_same_bytes(
    built: ProjectCopy, place_of_another_user: Path
) -> None:
    assert _differing_for_another_user(built, place_of_another_user, _KWS) == []


@pytest.fixture(scope="module")
def by_clang(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A project that Clang built, with its pages, without a launcher of compilers."""
    if find_clang() is None:
        pytest.skip("no Clang")
    project = ProjectCopy.fresh(tmp_path_factory.mktemp("clang") / "here")
    project.build(*_BY_CLANG, "launcher=none", "-j2")
    assert any(name.endswith("_report.htm") for name in project.built_files())
    return project


@pytest.mark.slow
def test_clang_makes_the_same_bytes_and_pages_for_another_user(
    by_clang: ProjectCopy, place_of_another_user: Path
) -> None:
    words = (*_BY_CLANG, "launcher=none")
    assert _differing_for_another_user(by_clang, place_of_another_user, *words) == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ccache") is None, reason="no ccache")
def test_clang_makes_the_same_bytes_and_pages_through_ccache(
    by_clang: ProjectCopy, tmp_path: Path
) -> None:
    settings = {"CCACHE_DIR": str(tmp_path / "ccache"), "CCACHE_CONFIGPATH": os.devnull}
    # What a first build puts there, a second one takes.
    for name in ("into ccache", "from ccache"):
        project = _Uncached(ProjectCopy.fresh(tmp_path / name).root, settings)
        project.build(*_BY_CLANG, "launcher=ccache", "-j2")
        assert differing(project, by_clang) == []
    assert any(path.is_file() for path in (tmp_path / "ccache").rglob("*R"))


class _Uncached(ProjectCopy):
    """A project in which the tests' own CCACHE_DISABLE does not hold."""

    @property
    def process_environment(self) -> dict[str, str]:
        inherited = super().process_environment
        return {name: value for name, value in inherited.items() if name != "CCACHE_DISABLE"}


def _differing_for_another_user(reference: ProjectCopy, place: Path, *words: str) -> list[str]:
    """Build as another user, elsewhere, and return which of ``reference``'s outputs differ."""
    project = ProjectCopy.fresh(place / "somewhere else" / "déjà")
    environment = {
        **os.environ,
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "de_DE.UTF-8",
        "TZ": "Asia/Kathmandu",
        "SOURCE_DATE_EPOCH": "1",
        "PYTHONHASHSEED": "99",
    }
    command, whom = project.command(*words, "-j2"), None
    if os.geteuid() == 0:
        python = interpreter(place / "venv")
        if python is None:
            pytest.skip("no Python that another user can run")
        command[0] = python
        (place / "home").mkdir()
        environment |= {"HOME": str(place / "home"), "USER": "somebody"}
        environment["ETHOSMITH_CACHE"] = str(downloads_for(place / "downloads"))
        for path in (place, *place.rglob("*")):
            if not path.is_relative_to(place / "downloads" / "sha256"):
                os.chown(path, _USER, _USER, follow_symlinks=False)
        whom = _USER
    done = subprocess.run(
        command,
        cwd=project.root,
        env=environment,
        umask=0o077,
        capture_output=True,
        text=True,
        timeout=_TIME_LIMIT_S,
        check=False,
        user=whom,
        group=whom,
        extra_groups=None if whom is None else [],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    differ = differing(project, reference)
    if command[0] != sys.executable:
        # The manifest names the Python, and a newer one writes other versions into zip files.
        differ = [name for name in differ if not name.endswith(_OF_PYTHON)]
    return differ


@pytest.mark.slow
def test_an_image_is_verified_by_building_it_again_from_its_manifest(
    copy_of_built: NewCopy,
) -> None:
    project = copy_of_built()
    outcome = project.build("verify", f"manifest={_IMAGE}_manifest.json", "-j2")
    assert f"LINK      {_IMAGE}.axf" in outcome.stdout
    last = outcome.stdout.splitlines()[-1]
    assert last == f"verified: kws  {_IMAGE}.axf: identical, 4 files"
    assert not (project.root / "build" / "verify").exists()


def test_a_manifest_that_is_none_is_told_in_a_line(copy_of_built: NewCopy) -> None:
    project = copy_of_built()
    missing = project.scons("verify", "manifest=nowhere.json", _KWS)
    assert missing.stderr == "error: manifest=nowhere.json: there is no such file\n"
    other = project.scons("verify", "manifest=usecases/kws/usecase.yaml", _KWS)
    assert other.exit_code == 2
    assert "error: usecases/kws/usecase.yaml: not a valid JSON file: " in other.text

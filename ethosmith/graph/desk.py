# SPDX-License-Identifier: Apache-2.0
"""Targets for the daily work at the desk."""

from __future__ import annotations

from ethosmith.core.errors import EthosmithError
from ethosmith.environment import doctor
from ethosmith.graph.build import Build


def declare_doctor(build: Build) -> None:
    """Declare ``doctor`` for plain ``scons``; ``./scons`` answers it before SCons starts.

    Raises:
        EthosmithError: another target is beside it.
    """
    if "doctor" not in build.session.targets:
        return
    if len(build.session.targets) != 1:
        raise EthosmithError("'doctor' cannot be combined with other targets")
    form = build.session.values["format"]
    build.engine.after("doctor", lambda: doctor.show(doctor.clone(), form), shows=True)

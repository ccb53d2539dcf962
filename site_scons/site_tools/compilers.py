# SPDX-License-Identifier: Apache-2.0
"""Compilers for the two machines of a build: the device (Cortex-M) and the host.

Commands are run as argument lists, without a shell, and write no absolute path into
what they make.
"""

import atexit
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

from SCons.Node import executed
from SCons.Subst import SUBST_CMD, SUBST_SIG
from SCons.Tool import CScanner

from ethosmith.engine.scons_types import Environment, Node
from ethosmith.environment.tools import find_program, program_version
from ethosmith.graph.build import Build, Made
from ethosmith.graph.engine import Usage
from ethosmith.graph.environment import Launcher
from ethosmith.installation import DESCRIPTOR_ROOT
from ethosmith.libraries.spec import Compilers
from ethosmith.report.step_runs import AnnouncedSteps
from ethosmith.toolchains.compile_commands import FILE_NAME, CompileCommand, update, write
from ethosmith.toolchains.compiler import Compiler, identify
from ethosmith.toolchains.installed import InstalledToolchain

_COMPILE_COMMANDS = "compile_commands"
# The host runs the same pre- and post-processing and has to get the same bits: no fused
# multiply-add on either machine.
_COMMON = ["-ffp-contract=off", "-fno-common", "-ffunction-sections", "-fdata-sections"]
_STRICT = ["-Wall", "-Wextra", "-Werror"]
_HOST_OPTIMISE = ["-O2", "-g"]
_CXX = ["-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]
# CMake's name of a system without an operating system.
_BARE_METAL = "Generic"
_LINK_IMAGE = (
    "$LINK -o ${TARGETS[0]} $LINKFLAGS -Wl,-Map=${TARGETS[1]} -T $LINKER_SCRIPT $SOURCES"
    " -Wl,--start-group $LIBS -Wl,--end-group $SYSTEM_LIBRARIES"
)


class SConsMachine:
    """`ethosmith.graph.engine.Machine` by SCons's builders for C and C++.

    Args:
        env: an environment that compiles for this machine.
        build: where what is compiled is recorded.
        name: ``device`` or ``host``.
    """

    def __init__(self, env: Environment, build: Build, name: str) -> None:
        self.env, self.name = env, name
        self.signature: str = env["TOOLCHAIN_VERSION"]
        self.versions: tuple[str, ...] = env["TOOLCHAIN_PARTS"]
        self._build = build
        self._nodes = build.engine.nodes  # type: ignore[attr-defined]
        self._version = env.Value(self.signature)
        self._programs: dict[str, list[Node]] = {}
        self._for_usage: dict[Usage, Environment] = {}
        self._headers: dict[Usage, list[Node]] = {}
        self._compiled: list[tuple[Environment, Node, Node]] = []

    def compile(self, source: Path, target: Path, usage: Usage) -> None:
        """Declare the object ``target`` of a C or C++ source."""
        env = self._with(usage)
        node, source_node = self._nodes.file(target), self._nodes.file(source)
        env.StaticObject(node, source_node)
        verb = "CC" if source.suffix == ".c" else "CXX"
        if usage not in self._headers:
            self._headers[usage] = self._headers_of_flags(env, usage)
        env.Depends(node, [self._version, *self._program(verb), *self._headers[usage]])
        self._compiled.append((env, node, source_node))
        self._build.record(Made(verb, str(target), (source,), (target,)))

    def _program(self, variable: str) -> list[Node]:
        """Return the program that ``variable`` names, if it is there.

        SCons would expand each command once more to find the program in it.
        """
        if variable not in self._programs:
            path = shutil.which(str(self.env[variable]), path=self.env["ENV"].get("PATH"))
            self._programs[variable] = [self._nodes.file(Path(path))] if path else []
        return self._programs[variable]

    def _headers_of_flags(self, env: Environment, usage: Usage) -> list[Node]:
        """Return the headers that ``-include`` puts before a source, which SCons does not scan."""
        root = self._build.project.root
        folders = (Path(), *usage.include_dirs, *usage.system_dirs)
        found: list[Node] = []
        for flag, name in pairwise(usage.flags):
            if flag != "-include":
                continue
            places = (folder / name for folder in folders if (root / folder / name).is_file())
            for place in islice(places, 1):
                header = self._nodes.file(place)
                found += [
                    header,
                    *header.get_implicit_deps(env, CScanner, lambda scanner: scanner.path(env)),
                ]
        return found

    def _with(self, usage: Usage) -> Environment:
        if usage not in self._for_usage:
            env = self.env.Clone()
            # A folder that is given both ways is a system folder for the compiler; SCons looks
            # for headers in CPPPATH.
            folders = (*usage.include_dirs, *usage.system_dirs)
            # SCons would look for variables in the names of CPPPATH's folders once more.
            included = [f"-I{literal(str(path))}" for path in folders]
            env.Replace(_CPPINCFLAGS=["$(", *included, "$)"])
            env.Append(
                CPPPATH=[self._nodes.folder(path) for path in folders],
                CCFLAGS=[*_system(usage.system_dirs, signed=True), *map(literal, usage.flags)],
                CPPDEFINES=[literal(define) for define in usage.defines],
            )
            self._for_usage[usage] = env
        return self._for_usage[usage]

    def archive(self, target: Path, objects: Sequence[Path]) -> None:
        """Declare a static library."""
        library = self._nodes.file(target)
        self.env.StaticLibrary(library, self._nodes.files(objects))
        self.env.Depends(library, self._program("AR"))
        self._build.record(Made("AR", str(target), tuple(objects), (target,)))

    def link(
        self,
        targets: Sequence[Path],
        objects: Sequence[Path],
        archives: Sequence[Path],
        script: Path | None = None,
        needs: Sequence[Path] = (),
    ) -> None:
        """Declare a program and, for the device, the linker's map."""
        libraries, nodes = self._nodes.files(archives), self._nodes.files(targets)
        settings: dict[str, object] = {"LIBS": libraries}
        inputs = [*objects, *archives, *needs]
        if script is not None:
            settings |= {"LINKER_SCRIPT": self._nodes.file(script), "LINKCOM": _LINK_IMAGE}
            inputs.append(script)
        linked = self.env.Program(nodes, self._nodes.files(objects), **settings)
        needed = self._nodes.files(inputs[len(objects) :])
        self.env.Depends(linked, [*needed, self._version, *self._program("LINK")])
        command = self.env.Override(settings).subst(
            "$LINKCOM", SUBST_SIG, nodes, self._nodes.files(objects)
        )
        made = Made("LINK", str(targets[0]), tuple(inputs), tuple(targets), command)
        self._build.record(made)

    @property
    def compilers(self) -> Compilers:
        """Programs and flags, for builds by other tools."""
        return Compilers(
            cc=self._words("CC")[0],
            cxx=self._words("CXX")[0],
            ar=self._words("AR")[0],
            arflags=self._words("ARFLAGS")[0],
            flags=self._words("CCFLAGS")[0],
            cflags=self._words("CFLAGS")[0],
            cxxflags=self._words("CXXFLAGS")[0],
            system=_BARE_METAL if self.name == "device" else "",
        )

    @property
    def compiler(self) -> Compiler:
        """What the C compiler is."""
        if self.name == "device":
            return self._build.session.installed_toolchain.compiler
        return identify(find_program("cc"))

    @property
    def unsigned_flags(self) -> Mapping[str, Sequence[str]]:
        """What changes no byte of an output: places, and the launcher."""
        launcher = self._build.session.launcher
        # One that distributes would change the debug information.
        started = launcher.program and not launcher.sends_preprocessed
        return {
            "launcher": [launcher.program] if started else [],
            "flags": self._words("CCFLAGS")[1],
            "cxxflags": self._words("CXXFLAGS")[1],
        }

    def _words(self, name: str) -> tuple[list[str], list[str]]:
        """Return a construction variable's words, and those that change no output: in `$(` `$)`."""
        signed: list[str] = []
        unsigned: list[str] = []
        now = signed
        value = self.env[name]
        for word in value.split() if isinstance(value, str) else self.env.Flatten(value):
            if word in {"$(", "$)"}:
                now = unsigned if word == "$(" else signed
            else:
                now.append(self.env.subst(word))
        return signed, unsigned

    def was_used(self) -> bool:
        """Say whether something was compiled by now."""
        return any(target.get_state() == executed for _, target, _ in self._compiled)

    def commands(self) -> Iterator[CompileCommand]:
        """Yield how each source is compiled."""
        for env, target, source in self._compiled:
            yield CompileCommand(
                directory=env.Dir("#").abspath,
                file=source.srcnode().abspath,
                output=str(target),
                arguments=_arguments(env, target, source),
            )


def _arguments(env: Environment, target: Node, source: Node) -> list[str]:
    command = "$CCCOM" if Path(str(source)).suffix == ".c" else "$CXXCOM"
    line = env.subst_list(command, SUBST_CMD, target=[target], source=[source])[0]
    program, *others = (str(word) for word in line)
    return [shutil.which(program, path=env["ENV"].get("PATH")) or program, *others]


def literal(text: str) -> str:
    """Return ``text`` for a construction variable: SCons shall see no variable in it."""
    return text.replace("$", "$$")


def compilers_for(env: Environment, build: Build, name: str) -> SConsMachine:
    """Return the compilers for ``device`` or ``host``, set up when they are first asked for."""
    machines = env["MACHINES"]
    if name not in machines:
        own = env.Clone()
        for tool in ("cc", "c++", "as", "ar", "link"):
            own.Tool(tool)
        own.Replace(ESCAPE=str, OBJSUFFIX=".o", LIBPREFIX="lib", LIBSUFFIX=".a", PROGSUFFIX="")
        (_for_device if name == "device" else _for_host)(own)
        machines[name] = SConsMachine(own, build, name)
    found: SConsMachine = machines[name]
    return found


def _for_device(env: Environment) -> None:
    toolchain: InstalledToolchain = env["SESSION"].installed_toolchain
    libraries = toolchain.libraries
    _set_compilers(
        env,
        [toolchain.c.name, toolchain.cxx.name, toolchain.archiver.name],
        [*toolchain.flags, *_COMMON, *toolchain.compile_flags, *_STRICT],
    )
    env.Append(
        CXXFLAGS=[*toolchain.cxx_flags, *_system(libraries.cxx_include_dirs, signed=False)],
        CCFLAGS=_system(libraries.include_dirs, signed=False),
    )
    link_flags = [*toolchain.link_flags, "-Wl,--gc-sections", "-Wl,--fatal-warnings"]
    # A hash of what was linked, by which the board says what image it runs.
    link_flags.append("-Wl,--build-id=sha1")
    env.Replace(
        ENV={**env["ENV"], "PATH": toolchain.search_path},
        LINKFLAGS=[*toolchain.flags, *link_flags],
        # Its version is in the signature; where it is installed is not.
        SYSTEM_LIBRARIES=["$(", *(literal(str(path)) for path in libraries.archives), "$)"],
        MACHINE="device",
        TOOLCHAIN_VERSION=toolchain.signature,
        TOOLCHAIN_PARTS=toolchain.tools,
    )


def _for_host(env: Environment) -> None:
    launcher = env["SESSION"].launcher
    if env["SESSION"].verbose and launcher.program:
        env["SHOWN"].progress.line(f"Compilers are started through {launcher.program}.")
    _set_compilers(env, ["cc", "c++", "ar"], [*_HOST_OPTIMISE, *_COMMON, *_STRICT])
    version = f"cc {program_version(find_program('cc'))}"
    env.Replace(LINKFLAGS=[], MACHINE="host", TOOLCHAIN_VERSION=version, TOOLCHAIN_PARTS=(version,))
    if sys.platform == "darwin":
        # Apple's ar knows no D; this variable does the same.
        env.Replace(ARFLAGS=["rcs"], ENV={**env["ENV"], "ZERO_AR_DATE": "1"})


def _set_compilers(env: Environment, programs: Sequence[str], flags: Sequence[str]) -> None:
    c, cxx, archiver = programs
    # The prefix maps are the only absolute paths; they change no byte of the output, so they stay
    # out of the signature: `$(` and `$)`.
    places = {str(DESCRIPTOR_ROOT): "ethosmith", env.Dir("#").abspath: "."}
    maps = [literal(f"-ffile-prefix-map={place}={name}") for place, name in places.items()]
    env.Replace(
        SPAWN=partial(_spawn, env["SHOWN"], env["SESSION"].launcher),
        IMPLICIT_COMMAND_DEPENDENCIES=False,  # see `_program`
        CC=c,
        CXX=cxx,
        LINK=cxx,
        AR=archiver,
        # D: no time stamps and no user ids in the archive.
        ARFLAGS=["rcsD"],
        RANLIBCOM="",
        CCFLAGS=[*flags, "$(", *maps, "$)"],
        CFLAGS=["-std=c11"],
        CXXFLAGS=["-std=c++17", *_CXX],
        CCCOM="$CC -c -o $TARGET $CFLAGS $CCFLAGS $_CCCOMCOM $SOURCES",
        CXXCOM="$CXX -c -o $TARGET $CXXFLAGS $CCFLAGS $_CCCOMCOM $SOURCES",
    )
    if not env["SESSION"].verbose:
        env.Replace(
            CCCOMSTR="CC        $TARGET",
            CXXCOMSTR="CXX       $TARGET",
            ARCOMSTR="AR        $TARGET",
            LINKCOMSTR="LINK      $TARGET",
        )


def _system(folders: Iterable[Path], *, signed: bool) -> list[str]:
    words = [word for folder in folders for word in ("-isystem", literal(str(folder)))]
    return words if signed or not words else ["$(", *words, "$)"]


def _spawn(
    shown: AnnouncedSteps,
    launcher: Launcher,
    shell: str,
    escape: object,
    command: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
) -> int:
    """Run one command for SCons, its arguments as they are."""
    del shell, escape, command
    try:
        words = [_unquoted(word) for word in arguments]
        return shown.run(launcher.command(words), environment)
    except OSError as error:
        sys.stderr.write(f"error: {arguments[0]}: {error.strerror}\n")
        return 127


def _unquoted(word: str) -> str:
    # SCons puts quotes around a word with a space, for the shell that is not there.
    quoted = len(word) > 1 and word[0] == word[-1] == '"'
    return word[1:-1] if quoted and any(c in word for c in " \t") else word


def declare_compile_commands(env: Environment, build: Build) -> None:
    """Declare the target compile_commands; a file that is there is kept current by every build."""
    path, machines = build.project.root / FILE_NAME, env["MACHINES"]

    def commands() -> Iterator[CompileCommand]:
        # An editor takes the first command of a source: the device's.
        for name in sorted(machines):
            yield from machines[name].commands()

    def write_all() -> None:
        write(path, commands())
        build.engine.line(f"WRITE     {FILE_NAME}")

    def keep_current() -> None:
        if any(machine.was_used() for machine in machines.values()):
            update(path, commands())

    build.engine.after(_COMPILE_COMMANDS, write_all)
    if path.is_file() and not build.engine.is_dry:
        atexit.register(keep_current)


def exists(env: Environment) -> bool:
    """Say that the tool can be used; a missing compiler is named when it is needed."""
    del env
    return True


def generate(env: Environment) -> None:
    """Add the methods `CompilersFor` and `DeclareCompileCommands`."""
    env["MACHINES"] = {}
    env.AddMethod(compilers_for, "CompilersFor")
    env.AddMethod(declare_compile_commands, "DeclareCompileCommands")

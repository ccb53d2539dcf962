# SPDX-License-Identifier: Apache-2.0
"""What SCons knows of files: the content alone decides, and an output is what its step made.

SCons believes an old hash of a file that has not changed for two days, by its modification time,
and that a target is what it built if only it is there. Here `ethosmith.core.identity` tells the
content of every file, and a target is up to date only while it has the hash that
build/.sconsign holds for it. SCons writes that hash together with the signatures of all that the
target was made from, when a build ends. So what a killed build, an editor or a bad disk has left
in a target's place is found out, whatever its time stamps say.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import SCons.Node
import SCons.Node.Alias
import SCons.Node.FS
import SCons.Node.Python
import SCons.SConsign
import SCons.Util
from SCons.Node.FS import File

from ethosmith.core.identity import Identity
from ethosmith.core.program import fail
from ethosmith.engine.scons_types import Environment, Node
from ethosmith.graph.layout import BUILD
from ethosmith.graph.record import BuildRecord
from ethosmith.graph.session import EXIT_USER_ERROR
from ethosmith.graph.signature_file import SignatureCodec, SignatureFile

_DATABASE = ".sconsign.json"
_STORED = (
    SCons.SConsign.SConsignEntry,
    *(SCons.Node.FS.FileNodeInfo, SCons.Node.FS.FileBuildInfo),
    *(SCons.Node.FS.DirNodeInfo, SCons.Node.FS.DirBuildInfo),
    *(SCons.Node.Python.ValueNodeInfo, SCons.Node.Python.ValueBuildInfo),
    *(SCons.Node.Alias.AliasNodeInfo, SCons.Node.Alias.AliasBuildInfo),
)

_scons_is_up_to_date, _scons_built, _scons_visited = File.is_up_to_date, File.built, File.visited


class _Signatures(SignatureFile):
    """The database; writing it never ends in a traceback."""

    def sync(self) -> None:
        """Write the database, or end the build."""
        try:
            super().sync()
        except OSError as error:
            _end(f"{BUILD}/{_DATABASE}", error)


def _open(name: str, flag: str = "r", mode: int = 0o666) -> _Signatures:
    del flag, mode
    return _Signatures(Path(f"{name}.json"))


def _end(name: str, error: OSError) -> None:
    fail(f"{name}: {error.strerror or error}; what was just built will be built again")
    sys.exit(EXIT_USER_ERROR)


# In place of the time and inode of a file that is not there.
_NO_FILE = (0, 0)


class Contents:
    """The contents of the nodes of one build.

    Args:
        identity: knows files.
        record: of the build, if there will be one.
        say: shows a line.
    """

    def __init__(
        self, identity: Identity, record: BuildRecord | None, say: Callable[[str], None]
    ) -> None:
        self.identity = identity
        self._record = record
        self._say = say
        self._told: set[Node] = set()
        self._told_foreign = False
        self._doubted: set[Node] = set()
        self._read: dict[Node, tuple[int, int]] = {}

    def read(self, node: Node) -> str:
        """Return `signature`, which the build takes for the node's from now on."""
        signature, self._read[node] = self._look_at(node)
        return signature

    def signature(self, node: Node) -> str:
        """Return the content signature of a file as it is now, as SCons writes it."""
        return self._look_at(node)[0]

    def _look_at(self, node: Node) -> tuple[str, tuple[int, int]]:
        """Return `signature`, and what another writing of the file changes in any case."""
        try:
            known = self.identity.look_at(node.rfile().get_abspath())
        except FileNotFoundError:
            return str(SCons.Util.hash_signature(SCons.Util.NOFILE)), _NO_FILE
        except OSError:
            return "", _NO_FILE
        return known.sha256, (known.stamp.mtime_ns, known.stamp.inode)

    def changed_since_read(self, node: Node) -> list[Node]:
        """Return what ``node`` is made from and is not any more what SCons took it for.

        The step may have read other bytes than those that its signature names; also where a file
        was changed and changed back meanwhile, as by ``git stash`` or a rebase.
        """
        files = [child for child in node.children() if isinstance(child, File)]
        return [child for child in files if self._has_changed(child)]

    def _has_changed(self, child: Node) -> bool:
        signature, state = self._look_at(child)
        if signature != child.get_csig():
            return True
        return not child.has_builder() and self._read.get(child, state) != state

    def is_as_made(self, node: Node) -> bool:
        """Say whether a target is what its step made, and tell if it is not."""
        if node.get_state() in (SCons.Node.executed, SCons.Node.up_to_date):
            # SCons asks again, before it looks into a generated source for what that includes.
            return True
        recorded = getattr(node.get_stored_info().ninfo, "csig", None)
        if recorded == node.get_csig():
            return True
        if node not in self._told:
            self._told.add(node)
            self._say(f"note: {node} is not what its step made; rebuilding it")
        return False

    def tell_if_foreign(self, node: Node) -> None:
        """Tell of the first target that no finished build has made, but is there."""
        if self._told_foreign or node.get_state() == SCons.Node.executed or not node.exists():
            return
        if getattr(node.get_stored_info().binfo, "bactsig", None) is None:
            self._told_foreign = True
            self._say(f"note: {node} is from no finished build; rebuilding all such files")

    def doubt(self, node: Node, changed: Node) -> None:
        """Let the next build make ``node`` again: ``changed`` changed while it was made of it."""
        self._doubted.add(node)
        self._say(f"warning: {changed} changed while {node} was made from it; build again")

    def report(self, node: Node) -> None:
        """Put a file that SCons is done with into the record of the build."""
        if self._record is None:
            return
        if node.has_builder() and (node.always_build or node in self._doubted):
            self._record.doubt(f"{node} would be made again")
        csig = getattr(node.get_ninfo(), "csig", None) or self.signature(node)
        self._record.node(node.get_abspath(), csig)

    def forget_if_doubted(self, node: Node) -> None:
        """Take back that SCons has noted a target of which it is not known what it is made of."""
        if node in self._doubted:
            known = node.dir.sconsign()
            known.to_be_merged.pop(node.name, None)
            known.entries.pop(node.name, None)
            known.dirty = True


def _teach_scons(contents: Contents) -> None:
    """Let SCons's nodes of files ask ``contents``."""

    def get_csig(node: Node) -> str:
        info = node.get_ninfo()
        if not hasattr(info, "csig"):
            info.csig = contents.read(node)
        return str(info.csig)

    def is_up_to_date(node: Node) -> bool:
        if _scons_is_up_to_date(node):
            return contents.is_as_made(node)
        contents.tell_if_foreign(node)
        return False

    def built(node: Node) -> None:
        changed = contents.changed_since_read(node)
        _scons_built(node)
        if changed:
            contents.doubt(node, changed[0])

    def visited(node: Node) -> None:
        # What SCons notes of a file that nothing makes would replace what a build of more
        # targets knows of it as an output, and is asked for by nobody.
        if node.has_builder():
            _scons_visited(node)
            contents.forget_if_doubted(node)
        contents.report(node)

    File.get_csig, File.is_up_to_date, File.built, File.visited = (
        get_csig,
        is_up_to_date,
        built,
        visited,
    )


def use_signatures(env: Environment) -> None:
    """Keep the signatures in build/; content alone decides, and SHA-256 names it."""
    # Not "content-timestamp": SCons may then take a file's old content for its new one.
    env.Decider("content")
    env.SetOption("max_drift", -1)
    # Signatures are names in a cache that others share: MD5 would let two inputs have the same.
    env.SetOption("hash_format", "sha256")
    # SCons asks it for `loads` and `dumps` alone.
    SCons.SConsign.pickle = SignatureCodec({stored.__name__: stored for stored in _STORED})
    session, say = env["SESSION"], env["SHOWN"].progress.line
    # `env.SConsignFile` would make the folder, also where nothing is to be written.
    place = session.project.root / BUILD / ".sconsign"
    SCons.SConsign.File(str(place), SimpleNamespace(open=_open))
    env["CONTENTS"] = Contents(session.identity, session.record, say)
    _teach_scons(env["CONTENTS"])


def exists(env: Environment) -> bool:
    """Say that the tool can be used: it needs nothing but SCons."""
    del env
    return True


def generate(env: Environment) -> None:
    """Add the method `UseSignatures`."""
    env.AddMethod(use_signatures, "UseSignatures")

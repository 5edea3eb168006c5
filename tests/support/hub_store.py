"""What the Hub of the tests holds: repositories, their commits and files, and errors as the real one words them."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import NamedTuple


class File(NamedTuple):
    """One version of a file."""

    data: bytes
    lfs: bool = False

    @property
    def oid(self) -> str:
        """Git's hash of a small file, LFS's of a large one."""
        return hashlib.sha256(self.data).hexdigest() if self.lfs else blob_hash(self.data)


class Repo:
    """A repository: commits are whole trees, branches point at them."""

    def __init__(self):
        self.trees: dict[str, dict[str, File]] = {}
        self.branches: dict[str, str] = {}
        self.log: list[str] = []
        self.titles: dict[str, str] = {}

    def commit(self, tree: dict[str, File], branch: str = "main", title: str = "initial commit") -> str:
        """A new commit on `branch`; its hash."""
        sha = hashlib.sha1(repr((time.time_ns(), sorted(tree))).encode()).hexdigest()
        self.trees[sha] = tree
        self.branches[branch] = sha
        self.titles[sha] = title
        self.log.append(sha)
        return sha

    def find(self, revision: str) -> str | None:
        """The commit that a branch or a hash means."""
        return self.branches.get(revision) or (revision if revision in self.trees else None)


class Hub:
    """All that the server holds."""

    def __init__(self):
        self.repos: dict[tuple[str, str], Repo] = {}
        self.lfs: dict[str, bytes] = {}
        self.log: list[tuple[str, str]] = []
        self.private: set[str] = set()
        self.trouble: dict = {"times": 0}
        self.lock = threading.RLock()


class Failure(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str, commit: str = ""):
        super().__init__(message)
        self.status, self.code, self.message, self.commit = status, code, message, commit


def blob_hash(data: bytes) -> str:
    """Git's name for a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entry(path: str, file: File) -> dict:
    """A file as a listing has it."""
    listed = {"type": "file", "path": path, "size": len(file.data), "oid": blob_hash(file.data)}
    if file.lfs:
        listed["lfs"] = {"oid": file.oid, "size": len(file.data), "pointerSize": 134}
    return listed


def folder_entry(path: str) -> dict:
    """A folder as a listing has it."""
    return {"type": "directory", "path": path, "oid": blob_hash(path.encode()), "size": 0}


def kind_of(prefix: str | None) -> str:
    """ "datasets/" and the like, or nothing for models, to the kind's name."""
    return prefix.rstrip("/").removesuffix("s") if prefix else "model"

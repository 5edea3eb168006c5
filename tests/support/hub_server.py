"""A small Hugging Face Hub in memory, on loopback, standard library only: what the tests load from and push to.

    with serving() as url: ...            # in a test; `environment(url, home)` is what its clients need
    python tests/support/hub_server.py PORT       # by hand

Clients read their environment when huggingface_hub is imported, so run them in a process of their own. It has models,
data sets and spaces, private ones too, with commits, branches, LFS and ranges, a few accounts, and trouble on demand;
no xet, pagination or pull requests.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from hub_store import Failure, File, Hub, Repo, entry, folder_entry, kind_of
from places import SUPPORT

DATE = "2026-01-01T00:00:00.000Z"
LARGE = (".safetensors", ".pt", ".png", ".parquet", ".bin", ".jpg", ".arrow", ".zip")
"""endings of files that clients are told to send through LFS"""
ID = r"([^/]+/[^/]+)"
REVISION = r"(refs/[^/]+/[^/]+|[^/]+)"


class Handler(BaseHTTPRequestHandler):
    """One request: the first route whose pattern fits answers it."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args) -> None:
        pass

    def route(self) -> None:
        """Find the route, answer with what it returns or raises."""
        url = urlsplit(self.path)
        self.place, self.query, self.content = unquote(url.path), parse_qs(url.query), self.body()
        with self.hub.lock:
            self.hub.log.append((self.command, self.place))
            if self.fails():
                return
            try:
                self.answer()
            except Failure as failure:
                headers = {"X-Error-Code": failure.code, "X-Error-Message": failure.message}
                headers |= {"X-Repo-Commit": failure.commit} if failure.commit else {}
                self.send(failure.status, {"error": failure.message}, headers)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = route

    def fails(self) -> bool:
        """Whether this request meets the trouble that was asked for: no answer, or none but 503."""
        trouble = self.hub.trouble
        if not trouble["times"] or not re.search(trouble["at"], self.place) or self.place == "/__trouble__":
            return False
        trouble["times"] -= 1
        if trouble["what"] == "drop":
            self.close_connection = True
        else:
            self.send(503, {"error": "Service Unavailable"})
        return True

    def ask_for_trouble(self) -> None:
        """{"what": "drop" or "503", "at": a pattern of addresses, "times": N}: the next N requests there fail."""
        self.hub.trouble = json.loads(self.content)
        self.send(200)

    @property
    def token(self) -> str:
        """Of the account that asks: hf_test may write, hf_read may only read, hf_old has expired."""
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def may_write(self, name: str) -> None:
        if self.token in ("", "hf_old"):
            raise Failure(401, "", "Invalid username or password.")
        if self.token == "hf_read" or name.startswith("strangers/"):
            raise Failure(403, "", "You don't have the rights to write to this repository.")

    def answer(self) -> None:
        for pattern, method in ROUTES:
            if match := re.fullmatch(pattern, self.place):
                return method(self, *match.groups())
        raise Failure(404, "EntryNotFound", f"no such address: {self.command} {self.place}")

    def body(self) -> bytes:
        """The request's content, chunked or not."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def send(self, status: int, answer=b"", headers: dict[str, str] | None = None, kind: str = "application/json"):
        """Bytes as they are, anything else as JSON."""
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(data))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def address(self, path: str) -> str:
        return f"http://{self.headers['Host']}/{path}"

    def repo(self, kind: str, name: str) -> Repo:
        hidden = name in self.hub.private and self.token != "hf_test"
        if (kind, name) not in self.hub.repos or hidden:
            raise Failure(404 if self.token else 401, "RepoNotFound", "Repository not found")
        return self.hub.repos[kind, name]

    def show_log(self) -> None:
        self.send(200, self.hub.log)

    def who_am_i(self) -> None:
        if self.token in ("", "hf_old"):
            raise Failure(401, "", "Invalid username or password.")
        token = {"accessToken": {"role": "write"}}
        self.send(200, {"type": "user", "id": "1", "name": "tester", "fullname": "t", "orgs": [], "auth": token})

    def validate_card(self) -> None:
        self.send(200, {"errors": [], "warnings": []})

    def create(self) -> None:
        asked = json.loads(self.content)
        kind, name = asked.get("type") or "model", (asked.get("organization") or "tester") + "/" + asked["name"]
        url = self.address(f"{'' if kind == 'model' else kind + 's/'}{name}")
        self.may_write(name)
        if (kind, name) in self.hub.repos:
            return self.send(409, {"url": url, "name": name, "error": "already exists"})
        repo = self.hub.repos[kind, name] = Repo()
        if asked.get("private") or asked.get("visibility") == "private":
            self.hub.private.add(name)
        repo.commit({".gitattributes": File(b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n")})
        self.send(200, {"url": url, "name": name, "id": name})

    def delete(self) -> None:
        asked = json.loads(self.content)
        name = (asked.get("organization") or "tester") + "/" + asked["name"]
        self.hub.repos.pop((asked.get("type") or "model", name), None)
        self.send(200, {})

    def large_file(self, digest: str) -> None:
        if self.command != "PUT":
            return self.send(200, self.hub.lfs[digest], kind="application/octet-stream")
        if hashlib.sha256(self.content).hexdigest() != digest:
            raise Failure(400, "BadRequest", "the content has another hash")
        self.hub.lfs[digest] = self.content
        self.send(200)

    def large_file_batch(self, prefix: str | None, name: str) -> None:
        objects = []
        for wanted in json.loads(self.content)["objects"]:
            known = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.lfs:
                known["actions"] = {"upload": {"href": self.address(f"lfs/{wanted['oid']}")}}
            objects.append(known)
        self.send(200, {"transfer": "basic", "objects": objects}, kind="application/vnd.git-lfs+json")

    def refs(self, kind: str, name: str) -> None:
        branches = self.repo(kind, name).branches.items()
        listed = [{"name": branch, "ref": "refs/heads/" + branch, "targetCommit": sha} for branch, sha in branches]
        self.send(200, {"branches": listed, "converts": [], "tags": []})

    def branch(self, kind: str, name: str, verb: str, revision: str) -> None:
        asked, repo = json.loads(self.content or b"{}"), self.repo(kind, name)
        new = revision if verb == "branch" else asked.get("tag", revision)
        source = asked.get("startingPoint", "main") if verb == "branch" else revision
        if new in repo.branches:
            raise Failure(409, "Conflict", "it exists")
        repo.branches[new] = repo.branches.get(source, source)
        self.send(200, {})

    def at_revision(self, kind: str, name: str, verb: str | None = None, revision: str | None = None, rest: str = ""):
        """Whatever concerns one commit."""
        repo, revision = self.repo(kind, name), revision or "main"
        sha = repo.find(revision)
        if sha is None:
            raise Failure(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        VERBS[verb or "revision"](self, name, repo, sha, revision, rest)

    def info(self, name: str, repo: Repo, sha: str, revision: str, rest: str) -> None:
        about = {"_id": "x", "id": name, "modelId": name, "sha": sha, "lastModified": DATE, "createdAt": DATE}
        about |= {"private": name in self.hub.private, "gated": False, "disabled": False}
        about |= {"downloads": 0, "likes": 0, "tags": []}
        self.send(200, about | {"siblings": [{"rfilename": path} for path in sorted(repo.trees[sha])]})

    def tree(self, name: str, repo: Repo, sha: str, revision: str, rest: str | None) -> None:
        prefix = rest.rstrip("/") + "/" if rest else ""
        deep = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        listed: dict[str, dict] = {}
        for path, file in sorted(repo.trees[sha].items()):
            if not path.startswith(prefix):
                continue
            tail = path[len(prefix) :].split("/")
            for depth in range(1, len(tail) if deep else min(2, len(tail))):
                folder = prefix + "/".join(tail[:depth])
                listed.setdefault(folder, folder_entry(folder))
            if deep or len(tail) == 1:
                listed[path] = entry(path, file)
        if rest and not listed:
            raise Failure(404, "EntryNotFound", "no such folder")
        self.send(200, list(listed.values()))

    def paths_info(self, name: str, repo: Repo, sha: str, revision: str, rest: str) -> None:
        try:
            paths = json.loads(self.content)["paths"]
        except ValueError:
            paths = parse_qs(self.content.decode()).get("paths", [])
        tree = repo.trees[sha]
        folders = {path for path in paths if any(file.startswith(path.rstrip("/") + "/") for file in tree)}
        known = [path for path in paths if path in tree or path in folders]
        self.send(200, [entry(path, tree[path]) if path in tree else folder_entry(path) for path in known])

    def commits(self, name: str, repo: Repo, sha: str, revision: str, rest: str) -> None:
        about = {"message": "", "date": DATE, "authors": []}
        self.send(200, [{"id": each, "title": repo.titles[each]} | about for each in reversed(repo.log)])

    def before_upload(self, name: str, repo: Repo, sha: str, revision: str, rest: str) -> None:
        answers = []
        for file in json.loads(self.content)["files"]:
            large = file["path"].endswith(LARGE) or file["size"] > 10_000_000
            answer = {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            if file["path"] in repo.trees[sha]:
                answer["oid"] = repo.trees[sha][file["path"]].oid
            answers.append(answer)
        self.send(200, {"files": answers})

    def commit(self, name: str, repo: Repo, sha: str, revision: str, rest: str) -> None:
        self.may_write(name)
        tree, title = dict(repo.trees[sha]), ""
        for line in self.content.splitlines():
            change = json.loads(line)
            if change["key"] == "header" and change["value"].get("parentCommit") not in (None, sha):
                raise Failure(412, "PreconditionFailed", "the parent has changed")
            title = change["value"].get("summary", title)
            self.apply(tree, change["key"], change["value"])
        new = repo.commit(tree, revision, title)
        url = self.address(f"{name}/commit/{new}")
        self.send(200, {"success": True, "commitOid": new, "commitUrl": url, "hookOutput": ""})

    def apply(self, tree: dict[str, File], key: str, value: dict) -> None:
        """One line of a commit, done to the tree."""
        if key == "file":
            tree[value["path"]] = File(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            if value["oid"] not in self.hub.lfs:
                raise Failure(400, "BadRequest", "LFS object missing")
            tree[value["path"]] = File(self.hub.lfs[value["oid"]], lfs=True)
        elif key == "deletedFile":
            tree.pop(value["path"], None)
        elif key == "deletedFolder":
            for path in [path for path in tree if path.startswith(value["path"].rstrip("/") + "/")]:
                del tree[path]

    def download(self, prefix: str | None, name: str, revision: str, path: str) -> None:
        repo = self.repo(kind_of(prefix), name)
        sha = repo.find(revision)
        if sha is None:
            raise Failure(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if path not in repo.trees[sha]:
            raise Failure(404, "EntryNotFound", "Entry not found", sha)
        file, kind = repo.trees[sha][path], "application/octet-stream"
        headers = {"X-Repo-Commit": sha, "ETag": f'"{file.oid}"', "Accept-Ranges": "bytes"}
        if file.lfs:
            headers |= {"X-Linked-Etag": f'"{file.oid}"', "X-Linked-Size": str(len(file.data))}
        asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if self.command == "HEAD" or not asked:
            return self.send(200, file.data, headers, kind)
        start, end = int(asked[1]), min(int(asked[2] or len(file.data)), len(file.data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(file.data)}"
        self.send(206, file.data[start : end + 1], headers, kind)


VERBS = {
    "revision": Handler.info,
    "tree": Handler.tree,
    "paths-info": Handler.paths_info,
    "commits": Handler.commits,
    "preupload": Handler.before_upload,
    "commit": Handler.commit,
}
REPO = rf"/api/(model|dataset|space)s/{ID}"
ROUTES = (
    ("/__log__", Handler.show_log),
    ("/__trouble__", Handler.ask_for_trouble),
    ("/api/whoami-v2", Handler.who_am_i),
    ("/api/validate-yaml", Handler.validate_card),
    ("/api/repos/create", Handler.create),
    ("/api/repos/delete", Handler.delete),
    ("/lfs/([0-9a-f]{64})", Handler.large_file),
    (rf"/(datasets/|spaces/)?{ID}\.git/info/lfs/objects/batch", Handler.large_file_batch),
    (rf"{REPO}/refs", Handler.refs),
    (rf"{REPO}/(branch|tag)/{REVISION}", Handler.branch),
    (REPO, Handler.at_revision),
    (rf"{REPO}/({'|'.join(VERBS)})(?:/{REVISION}(?:/(.*))?)?", Handler.at_revision),
    (rf"/(datasets/|spaces/)?{ID}/(?:resolve|raw)/{REVISION}/(.+)", Handler.download),
)


def serve(port: int = 0) -> ThreadingHTTPServer:
    """An empty Hub on a port of loopback (0: a free one), answering from a thread."""
    handler = type("Handler", (Handler,), {"hub": Hub()})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@contextmanager
def serving() -> Iterator[str]:
    """The address of an empty Hub that ends with the block."""
    server = serve()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def environment(url: str, home: str) -> dict[str, str]:
    """What a client's process needs in its environment: where the Hub is, and a cache of its own."""
    return {
        "HF_ENDPOINT": url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": "hf_test",
        "HF_HOME": home,
        "HF_HUB_OFFLINE": "0",
    }


def client(code: str, url: str, home: Path) -> str:
    """What the code prints, run where the Hub is `url`."""
    here = SUPPORT
    paths = os.pathsep.join([str(here), str(here.parent)])
    settings = os.environ | environment(url, str(home)) | {"PYTHONPATH": paths}
    prelude = f"from pathlib import Path\nhome = Path({str(home)!r})\n"
    done = subprocess.run([sys.executable, "-c", prelude + code], env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


if __name__ == "__main__":
    print("listening at", serve(int(sys.argv[1])).server_address, flush=True)
    threading.Event().wait()

"""Sources behind addresses: copied once, gone on with where a copy broke off, then read as local ones."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from data_sources import encoded, folder, gray_of, label_of, lmdb, shard, zipped

from ggdr.data.images import ImageFiles
from ggdr.data.reading.files import remote
from ggdr.verbs.datacheck import main


class Server(SimpleHTTPRequestHandler):
    """A server of files that knows ranges, breaks off as often as it is told, and counts what it is asked."""

    def do_GET(self):
        self.server.asked.append(self.path)
        path = Path(self.translate_path(self.path))
        if path.is_dir() or not path.exists():
            return super().do_GET()
        data, wanted = path.read_bytes(), self.headers.get("Range")
        start, end = 0, len(data)
        if wanted and self.server.ranges:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or end) + 1, end)
        self.server.starts.append(start)
        self.send_response(206 if wanted and self.server.ranges else 200)
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if self.server.breaks and start >= self.server.sound:
            self.server.breaks -= 1
            end = start + (end - start) // 2
            self.close_connection = True
        self.wfile.write(data[start:end])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    (tmp_path / "site").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(tmp_path / "site"))) as server:
        server.starts = []
        server.asked, server.breaks, server.sound, server.ranges = [], 0, 0, True
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """What is copied goes with the test."""
    monkeypatch.setenv("GGDR_CACHE", str(tmp_path / "cache"))
    fsspec.filesystem("memory").rm("/", recursive=True) if fsspec.filesystem("memory").ls("/") else None


def put(local: str, where: str) -> str:
    """Copy a local file or folder into fsspec's memory."""
    fsspec.filesystem("memory").put(local, where, recursive=True)
    return f"memory:/{where}"


def grays(source: str, **settings) -> list[int]:
    images = ImageFiles(source=source, **settings).open()
    return sorted(gray_of(image) for image in images.at(range(len(images)), 0).images)


FILES = {f"{kind}/{value}.png": encoded(value) for value, kind in ((1, "cat"), (2, "dog"), (3, "dog"))}


def test_each_kind_of_source_may_stand_behind_an_address(tmp_path):
    made = {
        "/a.zip": zipped(tmp_path / "a.zip", FILES),
        "/b.tar": shard(tmp_path / "b.tar", [1, 2, 3]),
        "/c": lmdb(tmp_path / "c", {b"%d" % n: encoded(n) for n in (1, 2, 3)}),
        "/d": folder(tmp_path / "d", FILES),
    }
    for where, local in made.items():
        assert grays(put(local, where)) == [1, 2, 3], where
    labels, names = label_of("memory://d", "folders")
    assert names == ("cat", "dog") and labels[1] == [1, 0]
    for number in (0, 1):
        put(shard(tmp_path / "shards" / f"{number:03}.tar", range(4 * number, 4 * number + 4)), f"/e/{number:03}.tar")
    for source in ("memory://e", "memory://e/{000..001}.tar", "memory://e/*.tar"):
        assert grays(source) == [*range(8)], source


def test_a_web_server_gives_files_and_folders(tmp_path, server):
    zipped(tmp_path / "site" / "a b.zip", FILES)
    folder(tmp_path / "site" / "set", FILES)
    assert grays(f"{server.url}/a%20b.zip") == grays(f"{server.url}/set/") == [1, 2, 3]
    server.asked.clear()
    assert grays(f"{server.url}/a%20b.zip?signature=1") == [1, 2, 3] and not server.asked  # it lies here already


@pytest.mark.parametrize("ranges", [True, False])
def test_a_copy_that_breaks_off_is_gone_on_with(tmp_path, server, ranges):
    source = Path(zipped(tmp_path / "site" / "a.zip", FILES))
    server.breaks, server.ranges = 2, ranges
    assert grays(f"{server.url}/a.zip") == [1, 2, 3]
    (copy,) = (path for path in (tmp_path / "cache").rglob("*.zip"))
    assert copy.read_bytes() == source.read_bytes()


def test_a_copy_that_cannot_be_ended_is_kept_for_the_next_start(tmp_path, server, monkeypatch):
    monkeypatch.setattr(remote, "BLOCK", 100)
    source = Path(zipped(tmp_path / "site" / "a.zip", FILES))
    server.breaks, server.sound = 4, 150
    with pytest.raises(ValueError, match="'a.zip' cannot be copied .*type the same again to go on"):
        grays(f"{server.url}/a.zip")
    (part,) = (tmp_path / "cache").rglob("*.part")
    assert part.read_bytes() == source.read_bytes()[:200]
    server.starts.clear()
    assert (
        grays(f"{server.url}/a.zip") == [1, 2, 3]
        and min(server.starts) == 200
        and not [*(tmp_path / "cache").rglob("*.part")]
    )


def test_what_has_changed_is_copied_again_and_what_has_not_is_not(tmp_path, server):
    folder(tmp_path / "site" / "set", FILES)
    assert grays(f"{server.url}/set/") == [1, 2, 3]
    folder(tmp_path / "site" / "set", {"cat/4.png": encoded(4)})
    server.asked.clear()
    assert grays(f"{server.url}/set/") == [1, 2, 3, 4]
    assert [path for path in server.asked if path.endswith(".png")] == ["/set/cat/4.png"]


def test_without_a_network_the_last_copy_serves(tmp_path, server):
    zipped(tmp_path / "site" / "a.zip", FILES)
    source = f"{server.url}/a.zip"
    assert grays(source) == [1, 2, 3]
    server.shutdown()
    server.server_close()
    with pytest.warns(UserWarning, match="cannot be reached .*its last copy is used"):
        assert grays(source) == [1, 2, 3]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("http://127.0.0.1:9/a.zip", "a.zip cannot be read: .*look at the address, the network"),
        ("memory://nothing.zip", "there is nothing at memory://nothing.zip; correct the address"),
        ("s3://bucket/a.zip", r"s3:// cannot be read without .*; type: pip install 'ggdr\[sources\]'"),
        ("nowhere://a.zip", "nowhere://a.zip cannot be read: Protocol not known"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_sentence(source, message):
    with pytest.raises(ValueError, match=message) as refused:
        ImageFiles(source=source).open()
    assert "\n" not in str(refused.value)


def test_errors_and_flags_name_the_address_and_not_the_copy(tmp_path, capsys):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    source = put(str(tmp_path / "a.zip"), "/a.zip")
    with pytest.raises(ValueError, match="'memory://a.zip' is no readable zip"):
        ImageFiles(source=source).open()
    assert main(["check", put(folder(tmp_path / "d", FILES), "/d")]) == 0
    told = capsys.readouterr().out
    assert "3 readable" in told and "--data.source memory://d" in told and "cache" not in told


def test_a_source_that_the_disk_cannot_hold_is_not_begun(tmp_path):
    from ggdr.data.reading.files.remote import RemoteFile, download_all

    memory = fsspec.filesystem("memory")
    with pytest.raises(ValueError, match="holds 1,000,000.0 GB and .* GB are free"):
        download_all([RemoteFile(memory, "/a", "a", {"size": 10**15})], tmp_path / "cache" / "a", "memory://a")
    assert not [*(tmp_path / "cache").rglob("*.part")]


def test_a_listing_names_nothing_elsewhere(tmp_path):
    class Liar(type(fsspec.filesystem("memory"))):
        cachable = False

        def find(self, path, **options):
            return {"/a/../../evil.png": {"size": 1, "name": "/a/../../evil.png"}}

    from ggdr.data.reading.files.remote import list_remote

    with pytest.raises(ValueError, match="does not lie below it"):
        list(list_remote(Liar(), "/a"))

"""Files that nobody should trust: whatever is in them, one of the project's errors says so, soon and in little memory."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from mutations import mutations, watched
from programs import started

from imeasure import CanonicalForm, Derivation, Distribution, Equivalence, InformationError, check, equivalent, simplify
from imeasure.certificate import Certificate
from imeasure.cli import main
from imeasure.files import read_bytes, read_text, write_bytes, write_text

FORM = simplify("min I[X;Z] - beta*I[Y;Z]")
PROOF = check("I[X;Z] <= I[X;Y]", model="X -> Y -> Z").certificate
TABLE = b"X,Y,p\n0,a,1/2\n1,b,0.25\n1,a,2.5e-1\n"
READERS = {
    "certificate": (PROOF.to_json().encode(), lambda text: Certificate.from_json(text).verify()),
    "form": (FORM.to_json().encode(), CanonicalForm.from_json),
    "derivation": (FORM.derivation.to_json().encode(), Derivation.from_json),
    "equivalence": (equivalent("min H[Y|Z] + g*H[Z]", "min g*H[Z] + H[Y|Z]").to_json().encode(), Equivalence.from_json),
}


def run(*arguments):
    return CliRunner().invoke(main, [str(one) for one in arguments])


def refused(result):
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1 or "\n    " in result.stderr
    assert len(result.stderr) < 3000
    assert not any(letter < " " and letter != "\n" for letter in result.stderr)
    return result.stderr


def spoil(kind, count, seed):
    content, read = READERS[kind]
    accepted = 0
    for spoiled in mutations(content, count, seed):
        with watched(spoiled), suppress(InformationError):
            read(spoiled.decode(errors="surrogateescape"))
            accepted += 1
    return accepted


@pytest.mark.parametrize("kind", READERS)
def test_spoiled_data_are_read_or_refused(kind):
    content, read = READERS[kind]
    read(content.decode())
    assert spoil(kind, 20, seed=1) < 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", READERS)
def test_many_spoiled_data_are_read_or_refused(kind):
    assert spoil(kind, 5000, seed=2) < 2500


def test_spoiled_tables_are_read_or_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(TABLE)
    assert Distribution.read(path).exact
    for spoiled in mutations(TABLE, 100, seed=3):
        path.write_bytes(spoiled)
        with watched(spoiled), suppress(InformationError):
            Distribution.read(path)


def test_spoiled_files_end_a_command_with_one_message(tmp_path):
    proof, table = tmp_path / "proof.json", tmp_path / "table.csv"
    for certificate, rows in zip(mutations(READERS["certificate"][0], 25, 4), mutations(TABLE, 25, 4), strict=True):
        proof.write_bytes(certificate)
        table.write_bytes(rows)
        for result in (run("verify", proof), run("measure", table)):
            assert result.exit_code in (0, 1, 2)
            if result.exit_code == 2:
                refused(result)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"X,p\n0,1e999999999\n", "not a probability"),
        (b"X,p\n0," + b"9" * 5000 + b"\n", "not a probability"),
        (b"X,p\n" + b"".join(b"%d,1/%d\n" % (i, 10**900 + i) for i in range(200)), "twenty thousand digits"),
        (b"X,p\n0," + b"x" * 200_000 + b"\n", "field larger than field limit"),
        (b",".join(b"X%d" % i for i in range(70)) + b"\n" + b",".join([b"0"] * 70) + b"\n", "at most 32 variables"),
        (b"X\x1b[31m,p\n0,1\n", r"\x1b[31m"),
        (b"\xff\xfeX\x00", "no text in UTF-8 (byte 0)"),
        (b"", "is empty"),
    ],
)
def test_tables_with_traps_are_refused(tmp_path, content, message):
    path = tmp_path / "trap.csv"
    path.write_bytes(content)
    with watched(content):
        assert message in refused(run("measure", path))


def test_a_byte_order_mark_is_no_trap(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"\xef\xbb\xbf" + TABLE)
    (tmp_path / "proof.json").write_bytes(b"\xef\xbb\xbf" + READERS["certificate"][0])
    assert run("measure", tmp_path / "table.csv", "H[X]").output == "H[X]   0.693147\n"
    assert run("verify", tmp_path / "proof.json").exit_code == 0


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.json", "a.safetensors"])
def test_files_of_other_kinds_are_told_from_tables(tmp_path, name):
    (tmp_path / name).write_bytes(b"{}")
    assert "is no CSV file" in refused(run("measure", tmp_path / name))


def test_numbers_on_the_command_line_have_a_length(tmp_path):
    (tmp_path / "table.csv").write_bytes(TABLE)
    with watched("a power"):
        refused(run("measure", tmp_path / "table.csv", "beta*H[X]", "--set", "beta=1e999999999"))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without end")
def test_files_without_end_are_read_up_to_their_limit():
    for command in (["verify", "/dev/zero"], ["measure", "/dev/zero"]):
        with watched(command):
            assert "is larger than" in refused(run(*command))


def test_data_of_another_version_are_refused_with_the_reason():
    data = json.loads(PROOF.to_json())
    data["format"] = "imeasure certificate 2"
    with pytest.raises(InformationError, match="was written by another version, as 'imeasure certificate 2'; this one"):
        Certificate.from_json(json.dumps(data))


def test_a_changed_multiplier_is_refused(tmp_path):
    data = json.loads(PROOF.to_json())
    data["parts"][0][0][0] = "2"
    (tmp_path / "proof.json").write_text(json.dumps(data))
    result = run("verify", tmp_path / "proof.json")
    assert result.exit_code == 1
    assert result.stderr.startswith("the certificate does not hold: the steps do not sum to")


def places(tmp_path):
    """Where nothing can be written, whoever one is."""
    (tmp_path / "file").write_text("")
    yield tmp_path / "file"
    if Path("/proc/self").exists():
        yield Path("/proc")


@pytest.mark.parametrize(
    "command",
    [
        ["diagram", "X Y", "--out", "@/none/d.svg"],
        ["check", "H[X|Y] <= H[X]", "--certificate", "@/c.json"],
        ["range", "I[X;Y] >= beta*H[X]", "beta", "--certificate", "@/c.json"],
    ],
)
def test_where_nothing_can_be_written_is_said(tmp_path, command):
    for place in places(tmp_path):
        refused(run(*(part.replace("@", str(place)) for part in command)))


@pytest.fixture
def small_files():
    """Let this process write files of 100 bytes at most, as a disk that is full does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "command", [["diagram", "X Y", "--out", "a.svg"], ["check", "H[X|Y] <= H[X]", "--certificate", "a.json"]]
)
def test_folders_are_made(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    *start, name = command
    assert run(*start, f"new/folder/{name}").exit_code == 0
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == [name]


def test_what_does_not_fit_on_the_disk_leaves_what_was_there(tmp_path, small_files):
    for name, save in (
        ("c.json", PROOF.to_json),
        ("t.txt", lambda path: write_text(path, "long " * 100)),
    ):
        (tmp_path / name).write_text("before")
        with pytest.raises(InformationError, match=r"cannot write .*; choose another folder or make room"):
            save(tmp_path / name)
        assert (tmp_path / name).read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.json", "t.txt"]


def test_files_are_written_through_links_and_into_devices(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a.txt").write_text("before")
    (tmp_path / "link.txt").symlink_to(tmp_path / "target" / "a.txt")
    write_text(tmp_path / "link.txt", "after")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "target" / "a.txt").read_text() == "after"
    if Path("/dev/full").exists():
        (tmp_path / "full.svg").symlink_to("/dev/full")
        assert "No space left" in refused(run("diagram", "X Y", "--out", tmp_path / "full.svg"))
        assert not Path("/dev/full").is_file()


def test_names_may_be_as_long_as_the_system_allows(tmp_path):
    name = "ä" * 120 + ".json"
    write_bytes(tmp_path / name, b"{}")
    assert read_bytes(tmp_path / name, "file") == b"{}"
    with pytest.raises(InformationError, match="cannot write"):
        write_bytes(tmp_path / ("x" * 300), b"")
    with pytest.raises(InformationError, match="cannot write"):
        write_text(tmp_path / "a.txt", "\udcff")


def test_a_reader_sees_whole_files_whoever_writes(tmp_path):
    path, texts = tmp_path / "a.txt", {"a" * 100_000, "b" * 200_000}
    write_text(path, "a" * 100_000)
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write_text, path, text) for _ in range(10) for text in texts]
        assert all(read_text(path, "file") in texts for _ in range(30))
    assert [writer.result() for writer in writers] == [None] * 20
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="files are not locked there")
def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    code = """
import os, sys, time
from imeasure import files
os.fsync = lambda descriptor: (print("writing", flush=True), time.sleep(600))
files.write_text(sys.argv[1], "text")
"""
    with started(code, tmp_path / "a.txt") as killed, started(code, tmp_path / "b.txt") as living:
        assert killed.stdout.readline() == living.stdout.readline() == "writing\n"
        long_ago = time.time() - 1000
        for name in os.listdir(tmp_path):
            os.utime(tmp_path / name, (long_ago, long_ago))
        killed.kill()
        killed.wait()
        assert len(os.listdir(tmp_path)) == 2
        others = {".b.writing", f".{'0' * 16}.writing.txt"}
        for name in (*others, f".{'1' * 16}.writing"):
            (tmp_path / name).write_text("not a minute old, or of somebody else")
        os.mkfifo(tmp_path / f".{'2' * 16}.writing")
        os.utime(tmp_path / f".{'2' * 16}.writing", (long_ago, long_ago))
        write_text(tmp_path / "c.txt", "text")
        left = set(os.listdir(tmp_path)) - {"c.txt", *others, f".{'1' * 16}.writing", f".{'2' * 16}.writing"}
        assert len(left) == 1
        living.kill()
        living.wait()
        write_text(tmp_path / "c.txt", "text")
    assert not left & set(os.listdir(tmp_path))


def test_paths_may_have_spaces_and_any_letters_and_begin_with_a_dash(tmp_path, monkeypatch):
    place = tmp_path / "größe 42 – 数据 [x]"
    place.mkdir()
    monkeypatch.chdir(place)
    Path("-t.csv").write_bytes(TABLE)
    assert run("measure", "--", "-t.csv", "H[X]").exit_code == 0
    assert run("check", "H[X|Y] <= H[X]", "--certificate", "-c [1].json").exit_code == 0
    assert run("verify", "--", "-c [1].json").exit_code == 0
    assert run("diagram", "X Y", "--out", "-ü.svg").output == "-ü.svg\n"
    assert Path("-ü.svg").stat().st_size > 1000
    assert not [name for name in os.listdir(place) if name.startswith(".")]

"""What an earlier process of a run may have sent."""

from pathlib import Path

from app.erp.sent_postings import SentPostings
from app.erp.traffic import FIND, POST, Request, mended
from app.run.kept_run import KeptRun
from schemas.records import AttemptEnded
from tables.delivery.outbox import Dispatch, Entry, ReadBack, Timer


def noted(path: Path, *postings: str, call: str = POST) -> int:
    sent = SentPostings(path, 0, durable=True)
    sent.tell(Request(call, postings, False, ""))
    sent.close()
    return sent.size


def test_of_what_stands_behind_the_checkpoint_nobody_knows_the_outcome(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    checked = noted(path, "A", "B")
    assert noted(path, "C", call=FIND) == checked, "a question books nothing"
    noted(path, "B", "C")
    sent, told = SentPostings(path, checked, durable=False), list[AttemptEnded]()
    assert sent.doubtful == {"B", "C"}
    entries: list[Entry] = [
        Dispatch("A", 1),
        Dispatch("B", 2, resend=True),
        ReadBack("C", 1),
        Timer("C", 1, 5),
        Dispatch("C", 1, others=(("D", 4), ("E", 1))),
    ]
    assert sent.certain(entries, told.append) == [Dispatch("A", 1), *entries[2:4]], "lines of a document go together"
    assert [(ended.posting_id, ended.attempt, ended.result, ended.code) for ended in told] == [
        ("B", 2, "unknown", "TAKEN_OVER"),
        ("C", 1, "unknown", "TAKEN_OVER"),
        ("D", 4, "unknown", "TAKEN_OVER"),
        ("E", 1, "unknown", "TAKEN_OVER"),
    ]
    assert sent.certain(entries, told.append) == entries, "it is told once: from then on delivery knows"
    assert len(told) == 4


def test_what_a_stopped_process_had_not_come_to_again_stays_doubtful(tmp_path: Path) -> None:
    """Three processes: the first one dies behind a checkpoint, the second one is stopped before its folds reach what was sent."""
    for posting in ("A", ""):
        kept = KeptRun(tmp_path, durable=True)
        if posting:
            kept.write(dict)
            kept.sent.tell(Request(POST, (posting,), False, ""))
        else:
            assert kept.sent.doubtful == {"A"}
            kept.write(dict)
        kept.close()
    last = KeptRun(tmp_path, durable=True)
    assert last.sent.doubtful == {"A"}
    assert last.sent.certain([Dispatch("A", 1)], lambda ended: None) == []
    last.write(dict)
    last.close()
    again = KeptRun(tmp_path, durable=True)
    assert again.sent.doubtful == set()
    again.close()


def test_what_was_cut_off_had_not_left(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    noted(path, "A", "B")
    with path.open("ab") as file:
        file.write(b"C12")
    sent = SentPostings(path, 0, durable=True)
    assert sent.doubtful == {"A", "B"}
    sent.tell(Request(POST, ("D",), False, ""))
    sent.close()
    assert path.read_bytes() == b"A\nB\nD\n"


def test_a_journal_that_was_cut_off_loses_its_last_line(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    mended(path)
    assert not path.exists()
    for content, left in ((b'["a"]\n["b', b'["a"]\n'), (b'["a"]\n', b'["a"]\n'), (b'["a', b"")):
        path.write_bytes(content)
        mended(path)
        assert path.read_bytes() == left

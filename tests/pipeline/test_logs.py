"""Where the log goes, and that it never holds up the voice."""

from __future__ import annotations

import json
import subprocess
import sys

TALKER = """
import logging
from pipeline.configuration import LogSection
from pipeline.logs import configure_logging
configure_logging(LogSection(format="json"))
for number in range(5000):
    logging.warning("record %d", number)
print("still alive", flush=True)
input()
logging.warning("the last one")
"""


def test_a_log_that_nobody_reads_stops_nobody_and_what_is_left_out_is_counted() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TALKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as talker:
        assert talker.stdin is not None
        assert talker.stdout is not None
        assert talker.stderr is not None
        assert talker.stdout.readline() == "still alive\n"
        first = json.loads(talker.stderr.readline())
        read = [first, *(json.loads(talker.stderr.readline()) for _ in range(200))]
        talker.stdin.write("\n")
        talker.stdin.close()
        read += [json.loads(line) for line in talker.stderr]
    *told, note, last = [record["message"] for record in read]
    assert told == [f"record {number}" for number in range(len(told))]
    assert note == f"{5000 - len(told)} records had no room, because nobody read them"
    assert last == "the last one"

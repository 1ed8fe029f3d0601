"""Runs vantage on what it may not like and judges how it took it.

For a file, whatever is in it, nothing but status 0 and 1 is right: no report of a sanitizer, standard
output is what it promises to be, standard error is a line or two, time and memory are bounded. Time is the
processor's: a busy machine may take longer, but for what seems to hang.
"""
import dataclasses
import json
import os
import subprocess
import tempfile
import time

SECONDS = 20  # of the processor
PATIENCE = 180  # seconds
PEAK_KIB = 768 << 10  # the address sanitizer's own bookkeeping included
LINES_SAID = 3


@dataclasses.dataclass
class Run:
    """How a command ended; status is None if it had to be killed, or took more of the processor than it may."""

    status: int
    out: bytes
    err: str
    peak_kib: int


def run(command, stdin=subprocess.DEVNULL, seconds=SECONDS):
    """Runs a command to its end, for which it has so many seconds of the processor."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdin=stdin, stdout=out, stderr=err)
        deadline = time.monotonic() + PATIENCE
        pid, pause, is_killed = 0, 0.002, False
        while pid == 0:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid == 0 and time.monotonic() > deadline and not is_killed:
                process.kill()
                is_killed = True
            if pid == 0:
                time.sleep(pause)
                pause = min(pause * 1.5, 0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        is_slow = usage.ru_utime + usage.ru_stime > seconds
        return Run(None if is_killed or is_slow else process.returncode, out.read(),
                   err.read().decode("utf-8", "replace"), usage.ru_maxrss)


def output_fault(kind, out):
    """What is wrong with the standard output of `-o kind`, or None."""
    try:
        text = out.decode("utf-8")
        if kind == "summary" and text:
            json.loads(text)
        if kind == "events":
            for line in text.splitlines():
                json.loads(line)
    except ValueError as error:
        return f"output is not JSON in UTF-8: {error}"
    return None


def fault(done, kind):
    """What is wrong with a run over a file, or None."""
    for word in ("Sanitizer", "runtime error:", "Assertion"):
        if word in done.err:
            at = done.err.index(word)
            return done.err[max(0, at - 200):at + 1500]
    if done.status is None:
        return f"did not end within {SECONDS} seconds of the processor, or {PATIENCE} of the clock"
    if done.status not in (0, 1):
        return f"status {done.status}: {done.err[-500:]}"
    if done.peak_kib > PEAK_KIB:
        return f"took {done.peak_kib >> 10} MiB"
    said = done.err.strip().splitlines()
    if done.status == 1 and not 1 <= len(said) <= LINES_SAID:
        return f"status 1 with {len(said)} lines of explanation: {done.err[:500]}"
    return output_fault(kind, done.out)


def one_line(done, status, *words):
    """What is wrong with a refusal, which is one line with these words and that status; or None."""
    said = done.err.strip().splitlines()
    if done.status != status:
        return f"status {done.status} instead of {status}: {done.err[-500:]}"
    if len(said) != 1:
        return f"{len(said)} lines instead of one: {done.err[:500]}"
    lacking = [word for word in words if word not in said[0]]
    return f"{lacking} not in: {said[0]}" if lacking else None

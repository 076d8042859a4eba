"""The runner host for pytest: a plugin loaded with `-p` into the project's own pytest (6.2 and later, Python 3.8 and later).

pytest is started once a batch. The plugin replaces the run loop: it takes files one at a time from stdin, collects each
with the session's own collector only when its turn comes (so a file that was withdrawn is never imported), runs its
items through the project's own hooks, and appends events to the report file. Conftests, fixtures, marks, `-k`, `-m` and
plugins work as in any pytest run; session-scoped fixtures live for the whole batch, as they would in one pytest run,
and so does the scratch directory (TMPDIR), because what a session fixture puts there must outlive the first file.

The mapping keeps pytest's own counts. One case an item: its worst phase decides (failed call or setup error: failed;
skip in setup or call: skipped; xfail: skipped, as pytest counts it apart from passed; xpass: passed; strict xpass is a
failure). An item that passed and then errors in its teardown is one `passed` in pytest's summary and one `error`: it is
reported as two cases, the second with "teardown" as its last title.

Like the Node hosts: nonce and report file come by stdin, marker lines part the output of files, and when stdin closes
before the work is done the host kills its own process group. With ASSAY_PYTEST_LIST=FILE it only writes the files that
pytest would collect, without importing them.
"""

import json
import os
import signal
import sys
import threading
import time
from collections import deque

import pytest
from _pytest.warnings import catch_warnings_for_item

_started_at = time.monotonic()
_list_file = os.environ.pop("ASSAY_PYTEST_LIST", None)


class Channel:
    """Control lines in, events out. The file descriptors are private copies, made before pytest captures its own."""

    def __init__(self):
        self._control = os.fdopen(os.dup(0), "r", encoding="utf-8", newline="\n")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._stdout = os.dup(1)
        self._stderr = os.dup(2)
        self._queue = deque()
        self._condition = threading.Condition()
        self._write_lock = threading.Lock()
        self._has_ended = False
        self._cases = 0
        self.hello = json.loads(self._control.readline())["hello"]
        self._report = os.open(self.hello["reportFile"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        threading.Thread(target=self._listen, name="assay-control", daemon=True).start()

    def _listen(self):
        owner = os.getpid()
        for line in self._control:
            if not line.strip():
                continue
            message = json.loads(line)
            with self._condition:
                self._queue.extend(message.get("run", ()))
                wanted = set(message.get("withdraw", ()))
                if wanted:
                    gone = [item["id"] for item in self._queue if item["id"] in wanted]
                    self._queue = deque(item for item in self._queue if item["id"] not in wanted)
                    self.emit(e="withdrawn", ids=gone)
                self._has_ended = self._has_ended or bool(message.get("end"))
                self._condition.notify_all()
        # Nobody is left to report to. A forked child never comes here: threads do not survive a fork.
        if os.getpid() == owner:
            if hasattr(os, "killpg") and os.getpgid(0) == owner:
                os.killpg(owner, signal.SIGKILL)
            os._exit(1)

    def next(self):
        with self._condition:
            while True:
                if self._queue:
                    return self._queue.popleft()
                if self._has_ended:
                    return None
                self._condition.wait()

    def is_last(self):
        with self._condition:
            return self._has_ended and not self._queue

    def emit(self, **event):
        line = json.dumps({"n": self.hello["nonce"], **event}) + "\n"
        data = line.encode("utf-8", "replace")
        with self._write_lock:
            try:
                while data:
                    data = data[os.write(self._report, data) :]
            except OSError as error:
                os.write(self._stderr, f"assay: the report cannot be written: {error}\n".encode())
                os._exit(74)

    def mark(self, item, what):
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                pass
        marker = f"\x1e{self.hello['nonce']} {item['id']} {what}\n".encode()
        self.write(1, marker)
        self.write(2, marker)

    def write(self, stream, data):
        fd = self._stdout if stream == 1 else self._stderr
        while data:
            data = data[os.write(fd, data) :]

    def file_started(self, item):
        self._cases = 0
        self.mark(item, "start")
        self.emit(e="fileStarted", i=item["id"])

    def case(self, item, **case):
        self._cases += 1
        self.emit(e="case", i=item["id"], c=case)

    def file_finished(self, item, **facts):
        self.mark(item, "end")
        self.emit(e="fileFinished", i=item["id"], cases=self._cases, **facts)

    def failure(self, text, message=None):
        """A failure cut to what the agent wants at most; it cuts further and says by how much."""
        keep_message, keep_stack = self.hello["keepMessageChars"], self.hello["keepStackChars"]
        message = message or _last_line(text)
        return {
            "message": message[:keep_message],
            "messageCut": max(0, len(message) - keep_message),
            "stack": text[:keep_stack],
            "stackCut": max(0, len(text) - keep_stack),
        }


def _last_line(text):
    """pytest's own one-line account: the first `E   ` line, else the last line there is."""
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines:
        if line.startswith("E  "):
            return line[1:].strip()
    return lines[-1].strip() if lines else "failed"


def _titles(nodeid):
    """`tests/test_a.py::TestX::test_y[a::b]` without its file; a parameter may contain `::` itself."""
    name, bracket, parameters = nodeid.partition("[")
    parts = name.split("::")[1:] or [name]
    parts[-1] += bracket + parameters
    return parts


class Host:
    def __init__(self, channel):
        self.channel = channel
        self.item = None
        self.collect_errors = []
        self.config = None
        self.outcomes = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_cmdline_main(self, config):
        # The slots are the parallelism: pytest-xdist's own workers would take the tests away from this process.
        if hasattr(config.option, "numprocesses"):
            config.option.numprocesses = None
            config.option.dist = "no"
            config.option.tx = []
        yield

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        # Its progress and summary would belong to no file; the cases carry the failures.
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        writer = getattr(terminal, "_tw", None)
        if writer is not None and hasattr(writer, "_file"):
            writer._file = open(os.devnull, "w", encoding="utf-8")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection(self, session):
        """Every plugin prepares for collection as usual, but nothing is collected up front."""
        session.perform_collect = lambda *args, **options: []
        yield
        del session.perform_collect
        session.items = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        self.channel.emit(
            e="hostReady",
            version=f"pytest {pytest.__version__} on Python {'.'.join(map(str, sys.version_info[:3]))} ({sys.executable})",
            startupMs=(time.monotonic() - _started_at) * 1000,
        )
        item = self.channel.next()
        while item is not None:
            item = self.run_file(session, item)
        return True

    def run_file(self, session, item):
        self.item = item
        self.collect_errors = []
        self.config = session.config
        self.channel.file_started(item)
        started = time.monotonic()
        errors = []
        collected = self.collect(session, item, errors)
        imported = time.monotonic()
        for index, test in enumerate(collected):
            if index + 1 < len(collected):
                following = collected[index + 1]
            else:
                # After a file all but the session is torn down; after the last file of the batch the session too.
                following = None if self.channel.is_last() else _FileEnd(session, test)
            session.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
            if session.shouldstop or session.shouldfail:
                session.shouldstop = session.shouldfail = False
        ended = time.monotonic()
        facts = {"costMs": (ended - started) * 1000, "cost": {"importMs": (imported - started) * 1000, "testsMs": (ended - imported) * 1000}}
        if self.collect_errors and not collected:
            facts["loadError"] = self.collect_errors[0]
        self.channel.file_finished(item, errors=errors + self.collect_errors[1 if "loadError" in facts else 0 :], **facts)
        return self.channel.next()

    def collect(self, session, item, errors):
        try:
            # The project's warning filters apply to imports too.
            with catch_warnings_for_item(config=session.config, ihook=session.config.hook, when="collect", item=None):
                found = session.perform_collect([item["target"]], genitems=True)
            file = os.path.realpath(item["target"])
            # An __init__.py brings its whole package along, whose files are targets of their own.
            return [test for test in found if os.path.realpath(_file_of(test)) == file]
        except pytest.UsageError as error:
            if not self.collect_errors:
                self.collect_errors.append({"message": "; ".join(str(part) for part in error.args)})
            return []
        finally:
            session.items = []

    def pytest_collectreport(self, report):
        if self.item is None:
            return
        if report.failed:
            self.collect_errors.append(self.channel.failure(_text(report)))
        elif report.skipped:
            # `pytest.skip(allow_module_level=True)`: pytest counts one skipped.
            self.channel.case(self.item, path=_titles(report.nodeid), status="skipped", durationMs=0)

    def pytest_runtest_logreport(self, report):
        if self.item is None:
            return
        self.pass_output(report)
        seen = self.outcomes.setdefault(report.nodeid, {"status": None, "ms": 0.0, "failure": None, "retries": 0})
        seen["ms"] += report.duration * 1000
        if report.when == "teardown":
            self.settle(report, seen)
            return
        if report.failed:
            seen["status"], seen["failure"] = "failed", self.channel.failure(_text(report))
        elif report.skipped:
            seen["status"] = "skipped"
        elif report.outcome == "rerun":
            # pytest-rerunfailures: the phases of the next try follow.
            seen["retries"] += 1
        elif report.when == "call" and report.passed and seen["status"] is None:
            # An xpass too, which pytest counts apart and which does not fail its run.
            seen["status"] = "passed"

    def settle(self, report, seen):
        del self.outcomes[report.nodeid]
        line = report.location[1]
        common = {"line": line + 1} if isinstance(line, int) else {}
        if seen["retries"]:
            common["runnerRetries"] = seen["retries"]
        if seen["status"] is not None:
            failure = {"failure": seen["failure"]} if seen["failure"] else {}
            measured = self.measured(report.nodeid)
            self.channel.case(self.item, path=_titles(report.nodeid), status=seen["status"], durationMs=seen["ms"], **failure, **common, **measured)
        if report.failed:
            self.channel.case(
                self.item, path=[*_titles(report.nodeid), "teardown"], status="failed", durationMs=report.duration * 1000, failure=self.channel.failure(_text(report)), **common
            )

    def measured(self, nodeid):
        """What pytest-benchmark, where the project has it, measured in this test: every k-th round where there are many."""
        session = getattr(self.config, "_benchmarksession", None)
        times = []
        for one in getattr(session, "benchmarks", None) or []:
            if getattr(one, "fullname", None) == nodeid:
                times.extend(getattr(getattr(one, "stats", None), "data", None) or [])
        every = max(1, -(-len(times) // 1000))
        note = {"covariates": {"oneOf": every}} if every > 1 else {}
        samples = [{"metric": "time", "unit": "s", "value": time, "direction": "lower", **note} for time in times[::every]]
        return {"measurements": samples} if samples else {}

    def pass_output(self, report):
        """What pytest captured in this phase alone: sections repeat those of earlier phases."""
        for title, content in report.sections:
            if title == f"Captured stdout {report.when}":
                self.channel.write(1, content.encode("utf-8", "replace"))
            elif title == f"Captured stderr {report.when}":
                self.channel.write(2, content.encode("utf-8", "replace"))

    def pytest_internalerror(self, excrepr):
        self.channel.emit(e="hostFailed", message=f"pytest met an internal error: {excrepr}"[:20000])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        self.item = None

    def pytest_unconfigure(self):
        self.channel.emit(e="hostEnded")


class _FileEnd:
    """Stands for "the next item is elsewhere": everything below the session is torn down, session fixtures stay."""

    def __init__(self, session, last):
        self._session = session
        self.nodeid = ""
        self.session = session
        self.config = last.config

    def listchain(self):
        return [self._session]


def _file_of(node):
    return str(getattr(node, "path", None) or node.fspath)


def _text(report):
    longrepr = report.longrepr
    if longrepr is None:
        return "failed"
    if isinstance(longrepr, tuple):
        return str(longrepr[2])
    return getattr(report, "longreprtext", None) or str(longrepr)


class Lister:
    """Writes the files that pytest would collect: every rule of the project applies, no test file is imported."""

    def __init__(self, file):
        self.file = file
        self.found = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collect_file(self, parent):
        outcome = yield
        # Before pytest 8 an __init__.py is collected as its package, which has no tests of its own.
        collectors = [one for one in outcome.get_result() or () if not isinstance(one, pytest.Package)]
        for collector in collectors:
            # Noted when it is collected and not here: from pytest 8 on, the neighbours of a file that was named come by too.
            # It stays a collector, because a file that was named must have one, but an empty one: it is not imported.
            collector.collect = self.noting(str(getattr(collector, "path", None) or collector.fspath))
        outcome.force_result(collectors)

    def noting(self, path):
        def collect():
            self.found.append(path)
            return []

        return collect

    def pytest_sessionfinish(self):
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(sorted(set(self.found)), file)


if _list_file:
    _plugin = Lister(_list_file)
else:
    _plugin = Host(Channel())


def pytest_load_initial_conftests(early_config):
    early_config.pluginmanager.register(_plugin, "assay-host")

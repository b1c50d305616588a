"""The core in a process of its own: what comes back, in order and once, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

import pytest
import runner_tasks as tasks

from radioembolization import errors
from RadioembolizationPlannerLib import child_process, worker
from RadioembolizationPlannerLib.runner import KILLED_AFTER_S, Runner, qt_timer, run_blocking

HERE = Path(__file__).resolve().parent
MODULE = HERE.parents[1] / "RadioembolizationPlanner"
on_posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
#: A process is given this long to start or to vanish [s].
PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Let temporary folders be made in one of the test, which must be empty in the end; the child finds the tasks."""
    made_in = tmp_path / "temporary"
    made_in.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made_in))
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    yield made_in
    assert not list(made_in.iterdir()), "a folder is left behind"


class Told:
    """What a runner told, in order."""

    def __init__(self):
        self.events = []

    def callbacks(self):
        return {
            "on_progress": lambda *step: self.events.append(("progress", *step)),
            "on_done": lambda result: self.events.append(("done", result)),
            "on_failed": lambda error: self.events.append(("failed", error)),
            "on_cancelled": lambda: self.events.append(("cancelled",)),
        }

    @property
    def last(self):
        return self.events[-1]

    def of(self, kind):
        return [event[1:] for event in self.events if event[0] == kind]


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def runner():
    one = Runner()
    yield one
    one.stop()


def start_sleeping(runner, told, tmp_path, **request):
    """Start a task that sleeps; return the numbers of its process and of that which it started."""
    file = tmp_path / "numbers"
    runner.start(tasks.sleep, {"file": str(file), **request}, **told.callbacks())
    wait_until(lambda: runner.poll() or told.of("progress"))
    return [int(number) for number in file.read_text(encoding="utf-8").split()]


def wait_until(condition):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.02)


def is_alive(pid):
    """Whether a process runs; one that has ended but was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_steps_come_in_order_then_the_result_once(runner, told):
    runner.start(tasks.count, 5, **told.callbacks())
    assert runner.is_running and not told.events  # nobody is called back before a poll
    runner.wait(PATIENCE_S)
    assert told.events == [*(("progress", "counting", step, 5) for step in range(5)), ("done", [0, 1, 2, 3, 4])]
    assert not runner.is_running
    runner.poll()
    assert len(told.events) == 6


def test_an_error_of_the_planner_arrives_as_it_is(runner, told):
    runner.start(tasks.refuse, {"lungs": 3.0}, **told.callbacks())
    runner.wait(PATIENCE_S)
    ((error,),) = told.of("failed")
    assert type(error) is errors.Infeasible
    assert str(error) == "The limits contradict each other: lung dose by 3 Gy."
    assert error.excess == {"lungs": 3.0}


def test_run_blocking_returns_or_raises():
    steps = []
    assert run_blocking(tasks.count, 2, lambda *step: steps.append(step)) == [0, 1]
    assert steps == [("counting", 0, 2), ("counting", 1, 2)]
    with pytest.raises(errors.Infeasible, match="lung dose by 3 Gy"):
        run_blocking(tasks.refuse, {})


def test_an_unexpected_error_names_itself_and_asks_to_be_reported(caplog):
    with pytest.raises(errors.WorkerDied, match=r"error of the program: ZeroDivisionError: by seven\. .*report"):
        run_blocking(tasks.stumble, "by seven")
    assert "runner_tasks.py" in caplog.text  # where it was raised is in the log


def test_a_task_out_of_memory_says_what_to_do():
    with pytest.raises(errors.WorkerDied, match="out of memory: close other programs"):
        run_blocking(tasks.run_out_of_memory, None)


def test_an_exit_without_a_result_tells_the_code_and_the_last_words():
    with pytest.raises(errors.WorkerDied, match=r"exit code 7.*the solver said something \| and then this"):
        run_blocking(tasks.leave, 7)


@on_posix
def test_a_killed_process_tells_the_signal():
    with pytest.raises(errors.WorkerDied, match=r"SIGKILL.*memory"):
        run_blocking(tasks.be_killed, None)


@pytest.mark.parametrize(
    ("task", "words"),
    [(tasks.return_a_lock, "cannot be handed over"), (tasks.return_what_only_this_process_knows, "cannot be read")],
)
def test_a_result_that_does_not_survive_the_way_is_an_error(task, words):
    with pytest.raises(errors.WorkerDied, match=words):
        run_blocking(task, None)


def test_a_request_that_does_not_survive_the_way_is_refused_at_once(runner, told):
    with pytest.raises(Exception, match=r"(pickle|get) local object"):
        runner.start(tasks.count, lambda: None, **told.callbacks())
    assert not runner.is_running and not told.events


def test_noise_of_libraries_is_no_step(runner, told):
    runner.start(tasks.chatter, None, **told.callbacks())
    runner.wait(PATIENCE_S)
    assert told.events == [("progress", "after the noise", 1, 1), ("done", "done")]


def test_a_second_start_is_refused_and_does_not_disturb_the_first(runner, told):
    runner.start(tasks.count, 1, **told.callbacks())
    with pytest.raises(RuntimeError, match="running already"):
        runner.start(tasks.count, 2, **told.callbacks())
    runner.wait(PATIENCE_S)
    assert told.last == ("done", [0])


def test_a_callback_may_start_the_next_task(runner, told):
    callbacks = told.callbacks()
    runner.start(tasks.count, 1, on_done=lambda _: runner.start(tasks.count, 2, **callbacks), on_failed=None)
    runner.wait(PATIENCE_S)
    assert told.last == ("done", [0, 1])


@on_posix
def test_cancelling_ends_the_process_and_those_it_started(runner, told, tmp_path):
    numbers = start_sleeping(runner, told, tmp_path)
    assert all(is_alive(number) for number in numbers)
    started = time.monotonic()
    runner.cancel()
    runner.cancel()
    assert runner.is_running and not told.of("cancelled")  # only a poll calls back
    runner.wait(PATIENCE_S)
    assert told.events == [("progress", "sleeping", 0, 1), ("cancelled",)]
    wait_until(lambda: not any(is_alive(number) for number in numbers))
    assert time.monotonic() - started < KILLED_AFTER_S
    runner.poll()
    runner.cancel()  # nothing to cancel
    assert len(told.events) == 2


@on_posix
def test_a_process_that_does_not_want_to_end_is_killed(runner, told, tmp_path, monkeypatch):
    monkeypatch.setattr(
        child_process.ChildProcess, "terminate", lambda self: child_process._signal(self._process, force=False)
    )
    numbers = start_sleeping(runner, told, tmp_path, stubborn=True)
    started = time.monotonic()
    runner.cancel()
    runner.wait(PATIENCE_S)
    assert told.last == ("cancelled",)
    assert KILLED_AFTER_S <= time.monotonic() - started < KILLED_AFTER_S + 5.0
    wait_until(lambda: not any(is_alive(number) for number in numbers))


def test_cancelling_after_the_end_but_before_the_poll_is_a_cancel(runner, told):
    runner.start(tasks.count, 1, **told.callbacks())
    wait_until(lambda: runner._job.child.has_ended())
    runner.cancel()
    runner.wait(PATIENCE_S)
    assert told.events == [("cancelled",)]


@on_posix
def test_stop_ends_everything_and_calls_nobody(runner, told, tmp_path, folders):
    numbers = start_sleeping(runner, told, tmp_path)
    (folder,) = folders.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    runner.stop()
    assert not runner.is_running and not folder.exists()
    wait_until(lambda: not any(is_alive(number) for number in numbers))
    runner.poll()
    assert [event[0] for event in told.events] == ["progress"]


@on_posix
def test_a_forgotten_runner_leaves_nothing(told, tmp_path, folders):
    runner = Runner()
    numbers = start_sleeping(runner, told, tmp_path)
    del runner
    wait_until(lambda: not any(is_alive(number) for number in numbers))
    assert not list(folders.iterdir())


@on_posix
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_the_process_vanishes_with_its_parent(tmp_path):
    """The parent is killed, so that it cannot clean up."""
    file = tmp_path / "numbers"
    program = f"""
import sys, time
sys.path[:0] = [{str(MODULE)!r}, {str(HERE)!r}]
import runner_tasks
from RadioembolizationPlannerLib.runner import Runner
runner = Runner()
runner.start(runner_tasks.sleep, {{"file": {str(file)!r}}}, on_done=print, on_failed=print)
time.sleep(60)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", program], env=environment)
    try:
        wait_until(file.exists)
        numbers = [int(number) for number in file.read_text(encoding="utf-8").split()]
        assert all(is_alive(number) for number in numbers)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_until(lambda: not any(is_alive(number) for number in numbers))


def test_a_timer_polls_while_a_task_runs_and_no_longer(told):
    made = []

    class HandTimer:
        def __init__(self, poll):
            self.poll, self.runs = poll, False
            made.append(self)

        def start(self):
            self.runs = True

        def stop(self):
            self.runs = False

    runner = Runner(HandTimer)
    (timer,) = made
    assert not timer.runs
    runner.start(tasks.count, 1, **told.callbacks())
    assert timer.runs
    wait_until(lambda: timer.poll() or told.of("done"))
    assert not timer.runs


def test_the_timer_of_qt_polls_ten_times_a_second(monkeypatch):
    class QTimer:
        def setInterval(self, milliseconds):  # noqa: N802
            self.interval = milliseconds

        def connect(self, signal, function):
            self.connected = (signal, function)

    monkeypatch.setitem(sys.modules, "qt", types.SimpleNamespace(QTimer=QTimer))
    runner = Runner(qt_timer)
    assert runner._timer.interval == 100
    assert runner._timer.connected == ("timeout()", runner.poll)


def test_the_child_knows_neither_slicer_nor_qt_nor_vtk():
    imported = run_blocking(tasks.modules, None)
    assert not {"slicer", "vtk", "vtkmodules", "qt", "ctk", "cvxpy"} & set(imported)


def test_the_child_does_not_find_our_files_under_their_bare_names():
    path = run_blocking(tasks.path, None)
    assert str(MODULE) in path
    assert str(Path(worker.__file__).parent) not in path  # else 'tables' or 'scene' of others would be ours


def test_python_is_that_of_slicer_inside_it_and_this_one_outside(monkeypatch, tmp_path):
    python_slicer = tmp_path / "PythonSlicer"
    python_slicer.write_text("#!/bin/sh\n", encoding="utf-8")
    python_slicer.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "slicer", raising=False)
    assert child_process.python_executable() == sys.executable
    monkeypatch.setitem(sys.modules, "slicer", types.SimpleNamespace(app=object()))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "SlicerApp-real"))
    assert child_process.python_executable() == str(python_slicer)
    monkeypatch.setenv("PATH", "")
    assert child_process.python_executable() == str(python_slicer)  # beside the application
    python_slicer.unlink()
    with pytest.raises(errors.WorkerDied, match="PythonSlicer"):
        child_process.python_executable()  # never a second Slicer

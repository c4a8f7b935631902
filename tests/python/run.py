"""Runs CPython's own tests of `threading`'s primitives, `test.lock_tests`, on futon's.

    python3 tests/python/run.py [OPTION...] [CASE...]

Options and cases are those of `unittest`, as in `-v ConditionTests.test_notify`. Needs the library, which
`cargo build --release -p futon-python` makes, and a Python that came with its tests. The status is 0 if all cases
pass that are not left out.
"""

import faulthandler
import platform
import sys
import threading
import types
import unittest
from test import lock_tests

import binding_tests
import futon

# All of it takes a quarter of a minute. What hangs is ended after as many seconds, and shows where.
LIMIT = 300

# What can not hold, and why.
LEFT_OUT = {
    "EventTests.test_at_fork_reinit":
        "looks into an Event for the Condition that CPython makes it of; futon's is made of one word",
    "EventTests.test_reset_internal_locks":
        "as test_at_fork_reinit, which it is called since Python 3.9",
    "ConditionAsRLockTests.test_recursion_count":
        "CPython's Condition has no _recursion_count() either, and leaves this out",
    "ConditionOnLockTests.test_acquire":
        "is about the RLock that a Condition has if it is given no lock",
    "RLockTests.test_repr_count":
        "futon does not say how many levels another thread has",
    "ConditionAsRLockTests.test_repr_count":
        "futon does not say how many levels another thread has",
}

# The cases know `threading` by its name, for a Lock to give to a Condition and an exception to expect.
lock_tests.threading = types.ModuleType("threading")
vars(lock_tests.threading).update(vars(threading))
vars(lock_tests.threading).update((name, getattr(futon, name)) for name in futon.__all__)


class LockTests(lock_tests.LockTests):
    locktype = staticmethod(futon.Lock)


class RLockTests(lock_tests.RLockTests):
    locktype = staticmethod(futon.RLock)


class ConditionAsRLockTests(lock_tests.RLockTests):
    locktype = staticmethod(futon.Condition)


class EventTests(lock_tests.EventTests):
    eventtype = staticmethod(futon.Event)


class ConditionTests(lock_tests.ConditionTests):
    condtype = staticmethod(futon.Condition)


class PythonsConditionTests(lock_tests.ConditionTests):
    """`threading`'s own Condition, which is made of the locks that it is given."""

    condtype = staticmethod(lambda lock=None: threading.Condition(lock or futon.RLock()))


class ConditionOnLockTests(lock_tests.ConditionTests):
    """Not among CPython's, whose cases never wait with a lock that is not re-entrant."""

    condtype = staticmethod(lambda: futon.Condition(futon.Lock()))


class SemaphoreTests(lock_tests.SemaphoreTests):
    semtype = staticmethod(futon.Semaphore)


class BoundedSemaphoreTests(lock_tests.BoundedSemaphoreTests):
    semtype = staticmethod(futon.BoundedSemaphore)


class BarrierTests(lock_tests.BarrierTests):
    barriertype = staticmethod(futon.Barrier)


class BindingTests(binding_tests.BindingTests):
    module = futon


@unittest.skipIf(sys.version_info < (3, 9), "an older Semaphore can not release several, for one")
class TheSameOnThreading(binding_tests.BindingTests):
    module = threading


for name, reason in LEFT_OUT.items():
    tests, case = name.split(".")
    if hasattr(globals()[tests], case):
        setattr(globals()[tests], case, unittest.skip(reason)(getattr(globals()[tests], case)))


def main():
    faulthandler.dump_traceback_later(LIMIT, exit=True)
    result = unittest.main(exit=False).result
    left_out = len(result.skipped)
    for case, reason in result.skipped:
        print(f"left out: {case.id()}: {reason}")
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    passed = result.testsRun - left_out - failed
    version = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{version}: {result.testsRun} cases: {passed} passed, {failed} failed, {left_out} left out")
    # None at all is no success.
    return 0 if result.wasSuccessful() and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
